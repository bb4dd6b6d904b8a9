"""What `affectd-convert sign` adds to a model file: a version, and a self-test that it must pass."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.inference.model_file import CARD_NAME, pack_model, read_entry, read_model_file
from edge.inference.windows import Frames
from edge.update.errors import UpdateError

RELEASE_NAME = "release.json"
UNVERSIONED = "0"
"""The version of a model without a release, such as the shipped one"""

_STEPS_PER_STD = 16.0
"""Windows are stored as int8, with this many steps per standard deviation of the training speech"""


class Release(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The version of a model, and test windows with the logits that they gave on the signing machine."""

    version: str
    """Numbers with dots: 1.10 comes after 1.9"""

    shape: tuple[int, int, int]
    """Windows, frames, features"""

    windows: bytes
    """int8, in C order"""

    logits: tuple[tuple[float, ...], ...]
    """Expected logits of each window"""

    def test_windows(self) -> Frames:
        """The windows, float32 of `shape`, as the network takes them.

        Raises:
            UpdateError: when the number of values does not match the shape.
        """
        values = np.frombuffer(self.windows, np.int8)
        if min(self.shape) < 1 or values.size != np.prod(self.shape) or len(self.logits) != self.shape[0]:
            raise UpdateError(
                f"the model's self-test is inconsistent with its shape {self.shape}; sign the model again"
            )
        return (values.astype(np.float32) / np.float32(_STEPS_PER_STD)).reshape(self.shape)


def version_key(version: str) -> tuple[int, ...]:
    """A version as a tuple of numbers that can be compared; 1.0 equals 1.

    Raises:
        UpdateError: when it is not a version.
    """
    if not re.fullmatch(r"\d{1,9}(\.\d{1,9}){0,3}", version, re.ASCII):
        raise UpdateError(
            f"{version[:40]!r} is not a version; give one to four numbers with dots, as in 1.2.0"
        )
    numbers = [int(part) for part in version.split(".")]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def quantise_windows(windows: Frames) -> bytes:
    """Windows (w, n_frames, n_features) in the form in which a release stores them."""
    quantised: NDArray[np.int8] = np.clip(np.rint(windows * _STEPS_PER_STD), -128, 127).astype(np.int8)
    return quantised.tobytes()


def pack_release(model: Path, release: Release) -> bytes:
    """A model file with this release in it, replacing any that it had.

    Raises:
        ModelFileError: when it is not a model file.
    """
    card, flatbuffer = read_model_file(model)
    # A fixed date, so that the same release gives the same file.
    entry = zipfile.ZipInfo(RELEASE_NAME, date_time=(1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    packed = io.BytesIO(pack_model(flatbuffer, card))
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr(entry, msgspec.json.encode(release))
    return packed.getvalue()


def read_release(model: Path) -> Release | None:
    """The release in a model file that `read_model_file` has accepted; None if it has none.

    Raises:
        ModelFileError: when it cannot be unpacked.
        UpdateError: when it is invalid.
    """
    content = model.read_bytes()
    text = read_entry(content, RELEASE_NAME)
    if text is None:
        return None
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = sorted(archive.namelist())
    if names != [CARD_NAME, RELEASE_NAME]:
        raise UpdateError(
            f"the model file holds {', '.join(names)[:200]}: remove what was added, and sign it again"
        )
    try:
        release = msgspec.json.decode(text, type=Release)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise UpdateError(
            f"{RELEASE_NAME} in the model is not a release of affectd ({error}); sign the model again"
        ) from None
    version_key(release.version)
    release.test_windows()
    return release
