"""What runs when the model that was installed last is no good."""

from __future__ import annotations

import os

import msgspec
import numpy as np
import pytest
from support.missing import needs_cryptography
from support.programs import Program
from support.sound import silence

from edge.inference.errors import RuntimeMissingError
from edge.update.errors import UpdateError
from edge.update.install import install
from edge.update.store import ModelStore
from edge.update.trial import Trial, load_model

pytestmark = needs_cryptography


@pytest.fixture
def two(release, make_release, device_settings, store) -> ModelStore:
    """A store with a first model that has proved itself, and a second on trial."""
    install(str(release), device_settings, store)
    store.note(on_trial=False)
    install(str(make_release("2.0.0", name="second")), device_settings, store)
    return store


def newest(store: ModelStore):
    return store.path_of(store.read().models[-1])


def test_model_when_it_does_not_load_then_the_one_before_runs(two, device_settings, caplog) -> None:
    path = newest(two)
    path.write_bytes(path.read_bytes()[:-10])

    assert load_model(device_settings, two).card.name == "first"
    assert "given up" in caplog.text
    assert [model.name for model in two.read().models] == ["first"]
    assert "cut short" in (two.read().given_up or "")
    assert not path.exists()


def test_model_when_none_loads_then_the_shipped_one_runs(two, device_settings) -> None:
    for model in two.read().models:
        two.path_of(model).unlink()

    assert load_model(device_settings, two).card.name == "affectd"
    assert two.read().models == ()


def test_model_when_no_runtime_is_there_then_that_is_the_error_and_none_is_given_up(
    two, device_settings, monkeypatch
) -> None:
    def missing(*_: object) -> None:
        raise RuntimeMissingError("none")

    monkeypatch.setattr("edge.inference.model.build_interpreter", missing)
    with pytest.raises(RuntimeMissingError):
        load_model(device_settings, two)
    assert [model.name for model in two.read().models] == ["first", "second"]


def test_model_when_it_crashes_the_process_then_is_given_up_after_three_starts(two, device_settings) -> None:
    for _ in range(3):
        two.note_start()  # and no end of it: what is left of a process that crashed

    assert load_model(device_settings, two).card.name == "first"
    assert "3 starts" in (two.read().given_up or "")


def test_model_when_it_loads_then_earlier_crashes_do_not_count(two, device_settings) -> None:
    for _ in range(5):
        two.note_start()
        two.note_start()
        assert load_model(device_settings, two).card.name == "second"
    assert two.read().on_trial


def hear_windows(model, settings, store, n: int = 20) -> bool:
    model.window_ms.clear()
    trial = Trial(settings, store)
    window = np.zeros((model.card.n_frames, model.mfcc_config.n_features), np.float32)
    for _ in range(n - 1):
        model.logits(window)
        assert not trial.has_failed(model)
    model.logits(window)
    return trial.has_failed(model)


def test_trial_when_inferences_are_slower_than_the_hop_then_the_one_before_is_in_force(
    two, device_settings
) -> None:
    model = load_model(device_settings, two)
    slow = msgspec.structs.replace(device_settings, window_hop_s=1e-9)

    assert hear_windows(model, slow, two)
    assert load_model(device_settings, two).card.name == "first"
    assert "window_hop_s" in (two.read().given_up or "")


def test_trial_when_inferences_keep_up_then_it_is_over_and_the_model_stays(two, device_settings) -> None:
    model = load_model(device_settings, two)

    assert not hear_windows(model, device_settings, two)
    assert not two.read().on_trial
    assert load_model(device_settings, two).card.name == "second"


def test_trial_when_it_is_over_then_a_slow_spell_changes_nothing(two, device_settings) -> None:
    two.note(on_trial=False)
    slow = msgspec.structs.replace(device_settings, window_hop_s=1e-9)

    assert not hear_windows(load_model(device_settings, two), slow, two)
    assert load_model(device_settings, two).card.name == "second"


def test_model_when_the_configuration_names_one_then_that_is_what_runs(
    two, device_settings, make_release
) -> None:
    named = msgspec.structs.replace(device_settings, path=str(make_release("5.0", name="named")))

    assert load_model(named, two).card.name == "named"


@pytest.mark.parametrize("content", [b"", b"{", b'{"models": 3}', b"\xff" * 100])
def test_store_when_its_list_is_damaged_then_the_shipped_model_runs(
    two, device_settings, caplog, content
) -> None:
    (two.folder / "installed.json").write_bytes(content)

    assert load_model(device_settings, two).card.name == "affectd"
    assert "remove it" in caplog.text
    with pytest.raises(UpdateError, match="is damaged"):
        two.pin(True)


def test_store_when_many_are_installed_then_the_last_three_are_kept(
    make_release, device_settings, store
) -> None:
    for number in range(1, 6):
        install(str(make_release(f"{number}.0")), device_settings, store)

    assert [model.version for model in store.read().models] == ["3.0", "4.0", "5.0"]
    assert len(list(store.folder.glob("*.tflite"))) == 3


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_store_when_root_installs_then_it_stays_the_daemons_to_change(
    release, device_settings, store, tmp_path
) -> None:
    store.folder.parent.mkdir()
    os.chown(store.folder.parent, 12_345, 12_345)
    install(str(release), device_settings, store)

    owned = [store.folder, *store.folder.iterdir()]
    assert len(owned) == 4
    assert {path.stat().st_uid for path in owned} == {12_345}


def test_daemon_when_the_installed_model_is_damaged_then_it_listens_with_the_one_before(
    two, device_settings, tmp_path, mosquitto, device
) -> None:
    path = newest(two)
    path.write_bytes(path.read_bytes()[:1000])
    options = ("--no-config", "--host", "127.0.0.1", "--port", mosquitto.port, "--device-id", device)
    env = {"STATE_DIRECTORY": str(two.folder.parent)}
    with Program("run", *options, "--source", "stdin", env=env) as daemon:
        daemon.wait_for("given up")
        daemon.wait_for("listening to")
        daemon.say(silence(0.5))
        daemon.end_input()
        assert daemon.wait() == 0
    assert two.read().models[-1].name == "first"
