"""A thousand releases that are damaged or forged: each refused before an interpreter is asked for."""

from __future__ import annotations

from collections import Counter

import pytest
from support.missing import needs_cryptography

import edge.update.install
from edge.inference.model_file import read_model_file
from edge.update.errors import UpdateError
from edge.update.fetch import Parcel
from edge.update.install import install
from edge.update.release import read_release
from edge.update.trial import load_model

from .damage import KINDS, Damage

pytestmark = needs_cryptography

N = 1_000


@pytest.fixture
def damage(make_release, key, forger) -> Damage:
    path = make_release("9.0", name="damaged")
    card, flatbuffer = read_model_file(path)
    release = read_release(path)
    assert release is not None
    parcel = Parcel(content=path.read_bytes(), signature=key.sign(path.read_bytes()))
    return Damage(parcel, card, flatbuffer, release, key.sign, forger.sign)


def test_install_when_a_thousand_are_damaged_then_all_are_refused_before_any_interpreter(
    damage, release, device_settings, store, tmp_path, monkeypatch
) -> None:
    install(str(release), device_settings, store)
    before = store.read()
    files = sorted(path.name for path in store.folder.iterdir())
    outside = sorted(path.name for path in tmp_path.iterdir())

    def trip(*_: object) -> None:
        raise AssertionError("the self-test was begun, which builds an interpreter")

    monkeypatch.setattr(edge.update.install, "run_apart", trip)
    path = tmp_path / "model.tflite"
    refused: Counter[str] = Counter()
    for kind, parcel in damage.parcels(N):
        path.write_bytes(parcel.content)
        (tmp_path / "model.tflite.sig").write_bytes(parcel.signature)
        with pytest.raises(UpdateError) as caught:
            install(str(path), device_settings, store)
        message = str(caught.value)
        assert message.startswith(f"{path}"), (kind, message)
        assert "\n" not in message, (kind, message)
        refused[kind] += 1

    assert len(refused) == KINDS
    assert sum(refused.values()) == N
    assert store.read() == before
    assert sorted(path.name for path in store.folder.iterdir()) == files
    assert {path.name for path in tmp_path.iterdir()} - {*outside, path.name, f"{path.name}.sig"} == set()
    assert load_model(device_settings, store).card.name == "first"


def test_install_when_whole_then_the_wire_would_have_tripped(
    make_release, device_settings, store, monkeypatch
) -> None:
    def trip(*_: object) -> None:
        raise AssertionError("reached")

    monkeypatch.setattr(edge.update.install, "run_apart", trip)
    with pytest.raises(AssertionError, match="reached"):
        install(str(make_release("9.1")), device_settings, store)
