"""Releases that no device may take: as they come from broken transfers, and from people who mean harm.

What a signature would catch is left with the old one; what must be caught behind it is signed anew, by the
key that the device trusts.
"""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable, Iterator

import msgspec

from edge.inference.card import ModelCard, encode_card
from edge.inference.model_file import CARD_NAME
from edge.update.fetch import Parcel
from edge.update.release import RELEASE_NAME, Release

Sign = Callable[[bytes], bytes]
KINDS = 10


class Damage:
    """Makes damaged parcels of one whole release, `KINDS` kinds in turn."""

    def __init__(
        self, whole: Parcel, card: ModelCard, flatbuffer: bytes, release: Release, sign: Sign, forge: Sign
    ) -> None:
        self._whole = whole
        self._card = card
        self._flatbuffer = flatbuffer
        self._release = msgspec.json.encode(release)
        self._sign = sign
        self._forge = forge
        self._bomb = self._archive((CARD_NAME, bytes(1 << 26)), (RELEASE_NAME, self._release))

    def parcels(self, n: int, seed: int = 0) -> Iterator[tuple[str, Parcel]]:
        """So many, each with what was done to it."""
        rng = random.Random(seed)
        kinds = [
            self._cut_short,
            self._bits_flipped,
            self._signature_damaged,
            self._signature_of_another,
            self._signed_by_another,
            self._card_swapped,
            self._bomb_signed,
            self._path_traversal,
            self._card_changed,
            self._release_changed,
        ]
        assert len(kinds) == KINDS
        for i in range(n):
            kind = kinds[i % KINDS]
            yield kind.__name__.strip("_"), kind(rng)

    def _archive(self, *entries: tuple[str, bytes], flatbuffer: bytes | None = None) -> bytes:
        file = io.BytesIO(self._flatbuffer if flatbuffer is None else flatbuffer)
        with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
            for name, content in entries:
                archive.writestr(name, content)
        return file.getvalue()

    def _signed(self, content: bytes) -> Parcel:
        return Parcel(content=content, signature=self._sign(content))

    def _cut_short(self, rng: random.Random) -> Parcel:
        length = rng.randrange(len(self._whole.content))
        return Parcel(content=self._whole.content[:length], signature=self._whole.signature)

    def _bits_flipped(self, rng: random.Random) -> Parcel:
        content = bytearray(self._whole.content)
        for place in rng.sample(range(len(content)), rng.randint(1, 20)):
            content[place] ^= 1 << rng.randrange(8)
        return Parcel(content=bytes(content), signature=self._whole.signature)

    def _signature_damaged(self, rng: random.Random) -> Parcel:
        signature = bytearray(self._whole.signature)
        signature[rng.randrange(64)] ^= 1 << rng.randrange(8)
        length = rng.choice([64, 64, 64, rng.randrange(64)])
        return Parcel(content=self._whole.content, signature=bytes(signature[:length]))

    def _signature_of_another(self, rng: random.Random) -> Parcel:
        return Parcel(content=self._whole.content, signature=self._sign(rng.randbytes(100)))

    def _signed_by_another(self, rng: random.Random) -> Parcel:
        content = self._whole.content + rng.randbytes(rng.randrange(3))
        return Parcel(content=content, signature=self._forge(content))

    def _card_swapped(self, rng: random.Random) -> Parcel:
        flatbuffer = bytearray(self._flatbuffer)
        flatbuffer[rng.randrange(8, len(flatbuffer))] ^= 1 << rng.randrange(8)
        entries = ((CARD_NAME, encode_card(self._card)), (RELEASE_NAME, self._release))
        return self._signed(self._archive(*entries, flatbuffer=bytes(flatbuffer)))

    def _bomb_signed(self, rng: random.Random) -> Parcel:
        lie = rng.randrange(1, 1 << 20).to_bytes(4, "little")
        tail = self._bomb[len(self._flatbuffer) :]
        if rng.random() < 0.5:
            tail = tail.replace((1 << 26).to_bytes(4, "little"), lie)
        return self._signed(self._flatbuffer + tail)

    def _path_traversal(self, rng: random.Random) -> Parcel:
        name = rng.choice(["../", "/etc/", "..\\", "a/../../", "C:\\"]) + rng.choice(
            [CARD_NAME, RELEASE_NAME, "passwd", f"{rng.random()}"]
        )
        entries = [(CARD_NAME, encode_card(self._card)), (RELEASE_NAME, self._release)]
        if rng.random() < 0.5:
            entries.pop(rng.randrange(2))
        entries.insert(rng.randrange(len(entries) + 1), (name, rng.randbytes(20)))
        return self._signed(self._archive(*entries))

    def _card_changed(self, rng: random.Random) -> Parcel:
        card = self._card
        changes = rng.choice(
            [
                {"frontend": {**card.frontend, "kind": f"wavelets-{rng.randrange(99)}"}},
                {"frontend": {**card.frontend, "hop_length": -rng.randrange(99)}},
                {"labels": card.labels[: rng.randrange(len(card.labels))]},
                {"mean": card.mean[: rng.randrange(len(card.mean))]},
                {"temperature": -rng.random()},
                {"card_version": rng.randrange(2, 99)},
            ]
        )
        text = encode_card(msgspec.structs.replace(card, **changes))
        return self._signed(self._archive((CARD_NAME, text), (RELEASE_NAME, self._release)))

    def _release_changed(self, rng: random.Random) -> Parcel:
        text = bytearray(self._release)
        kind = rng.randrange(3)
        if kind == 0:
            text = text[: rng.randrange(len(text))]
        elif kind == 1:
            text = bytearray(text.replace(b'"version":"', b'"version":"v'))
        else:
            text = bytearray(rng.randbytes(rng.randrange(200)))
        return self._signed(self._archive((CARD_NAME, encode_card(self._card)), (RELEASE_NAME, bytes(text))))
