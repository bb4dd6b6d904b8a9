"""What a device takes, what it refuses, and what is in force afterwards."""

from __future__ import annotations

import hashlib

import msgspec
import pytest
from support.http_folder import publish
from support.missing import needs_cryptography, without
from support.programs import affectd, environment

from edge.inference.model import SHIPPED_MODEL, EmotionModel, ModelSettings
from edge.update.errors import UpdateError, UpdateMissingError, UpdateSettingsError, UpdateUnavailableError
from edge.update.install import install
from edge.update.release import pack_release, read_release
from edge.update.store import StoreState
from edge.update.trial import load_model

pytestmark = needs_cryptography


def test_install_when_signed_by_a_trusted_key_then_it_is_the_model_that_runs(
    release, device_settings, store
) -> None:
    taken = install(str(release), device_settings, store)

    assert (taken.model.version, taken.model.name, taken.model.signed_by) == ("1.0.0", "first", "maker.pem")
    assert taken.model.sha256 == hashlib.sha256(release.read_bytes()).hexdigest()
    assert taken.self_test.passed
    assert store.path_of(taken.model).read_bytes() == release.read_bytes()
    assert load_model(device_settings, store).card.name == "first"
    assert [path.name for path in store.folder.iterdir() if "partial" in path.name] == []


def test_install_when_from_http_then_it_and_its_signature_are_fetched(
    release, device_settings, store, server
) -> None:
    url, folder = server
    publish(release, folder)
    sha256 = hashlib.sha256(release.read_bytes()).hexdigest()

    assert install(f"{url}/model.tflite", device_settings, store, sha256=sha256).model.name == "first"


@pytest.mark.parametrize(
    ("place", "error", "words"),
    [
        ("{url}/none.tflite", UpdateUnavailableError, "404"),
        ("http://127.0.0.1:1/model.tflite", UpdateUnavailableError, "cannot be fetched"),
        ("http://[/model.tflite", UpdateError, "neither a path nor a URL"),
        ("ftp://127.0.0.1/model.tflite", UpdateError, "http or https"),
        ("file:///etc/passwd", UpdateError, "http or https"),
        ("{folder}/none.tflite", UpdateMissingError, "none.tflite.sig: no such file"),
        ("{folder}", UpdateMissingError, "no such file"),
    ],
)
def test_install_when_it_cannot_be_had_then_says_so(
    place, error, words, device_settings, store, server
) -> None:
    url, folder = server
    with pytest.raises(error, match=words):
        install(place.format(url=url, folder=folder), device_settings, store)
    assert store.read() == StoreState()


def test_install_when_the_server_sends_without_end_then_it_is_cut_off(
    device_settings, store, server, monkeypatch
) -> None:
    url, folder = server
    (folder / "model.tflite.sig").write_bytes(bytes(1 << 20))
    with pytest.raises(UpdateError, match="over 4096 bytes"):
        install(f"{url}/model.tflite", device_settings, store)


def test_install_when_the_sha256_is_another_then_refused(release, device_settings, store) -> None:
    with pytest.raises(UpdateError, match="was asked for"):
        install(str(release), device_settings, store, sha256="0" * 64)


def test_install_when_signed_by_nobody_who_is_trusted_then_refused(
    release, forger, device_settings, store, tmp_path
) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "forger.pub.pem").rename(tmp_path / "keys" / "forger.pem")
    settings = msgspec.structs.replace(device_settings, trusted_keys=str(tmp_path / "keys"))

    with pytest.raises(UpdateError, match=r"no trusted key has signed .* forger\.pem"):
        install(str(release), settings, store)


def test_install_when_no_key_is_trusted_then_says_where_to_put_one(release, store, tmp_path) -> None:
    settings = ModelSettings(trusted_keys=str(tmp_path / "none"))
    with pytest.raises(UpdateSettingsError, match=r"docs/updates\.md"):
        install(str(release), settings, store)


@pytest.mark.parametrize("content", [b"", b"ssh-ed25519 AAAA", b"-----BEGIN PUBLIC KEY-----\nAAAA\n"])
def test_install_when_a_trusted_key_is_damaged_then_says_which(release, store, tmp_path, content) -> None:
    (tmp_path / "damaged.pem").write_bytes(content)
    with pytest.raises(UpdateSettingsError, match=r"damaged\.pem"):
        install(str(release), ModelSettings(trusted_keys=str(tmp_path)), store)


def test_install_when_the_configuration_names_a_model_then_says_that_it_would_not_be_used(
    release, device_settings, store, tmp_path
) -> None:
    settings = msgspec.structs.replace(device_settings, path=str(tmp_path / "mine.tflite"))
    with pytest.raises(UpdateSettingsError, match="remove it there"):
        install(str(release), settings, store)


def test_install_when_older_or_the_same_then_only_by_force(make_release, device_settings, store) -> None:
    new, same, old = make_release("1.10"), make_release("1.10.0", name="x"), make_release("1.9.1")
    install(str(new), device_settings, store)
    with pytest.raises(UpdateError, match="in force already"):
        install(str(new), device_settings, store)
    for refused in (same, old):
        with pytest.raises(UpdateError, match="only a newer one"):
            install(str(refused), device_settings, store)
    assert store.read().models[-1].version == "1.10"

    install(str(old), device_settings, store, force=True)
    assert store.read().models[-1].version == "1.9.1"


def test_install_when_pinned_then_refused_until_unpinned(
    release, make_release, device_settings, store
) -> None:
    install(str(release), device_settings, store)
    store.pin(True)
    newer = make_release("2.0")
    with pytest.raises(UpdateError, match="pinned"):
        install(str(newer), device_settings, store, force=True)
    with pytest.raises(UpdateError, match="pinned"):
        store.go_back()
    store.pin(False)

    assert install(str(newer), device_settings, store).model.version == "2.0"


def test_install_when_slower_than_the_hop_allows_then_refused(release, device_settings, store) -> None:
    # No interpreter answers in a nanosecond.
    settings = msgspec.structs.replace(device_settings, window_hop_s=1e-9)
    with pytest.raises(UpdateError, match=r"fails its self-test .* window_hop_s"):
        install(str(release), settings, store)
    assert store.read() == StoreState()


def test_install_when_its_answers_are_others_here_then_refused(
    make_release, device_settings, store, key, tmp_path
) -> None:
    release = make_release("3.0")
    made = read_release(release)
    assert made is not None
    lying = msgspec.structs.replace(made, logits=made.logits[::-1])
    path = tmp_path / "lying.tflite"
    path.write_bytes(pack_release(release, lying))
    path.with_name("lying.tflite.sig").write_bytes(key.sign(path.read_bytes()))
    with pytest.raises(UpdateError, match=r"fails its self-test .* logits differ"):
        install(str(path), device_settings, store)


def test_install_when_the_interpreter_crashes_then_refused(
    release, device_settings, store, tmp_path, monkeypatch
) -> None:
    for name in ("tflite_runtime", "ai_edge_litert", "tensorflow"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("import os\nos.abort()\n")
    monkeypatch.setenv("PYTHONPATH", environment({"PYTHONPATH": str(tmp_path)})["PYTHONPATH"])
    with pytest.raises(UpdateError, match=r"ended its process \(signal 6\)"):
        install(str(release), device_settings, store)


def test_install_when_installed_then_the_command_line_lists_and_rolls_back(
    release, make_release, trusted, tmp_path
) -> None:
    config = tmp_path / "affectd.toml"
    config.write_text(f'[model]\ntrusted_keys = "{trusted}"\n')
    env = {"XDG_STATE_HOME": str(tmp_path)}

    def model(*arguments: object) -> str:
        done = affectd("model", *arguments, "--config", config, env=env)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "first 1.0.0 is in force; signed by maker.pem" in model("install", release)
    model("install", make_release("1.1.0", name="second"))
    assert [line.split()[0:2] for line in model("list").splitlines()] == [
        ["*", "1.1.0"], ["1.0.0", "first"], ["0", "affectd"],
    ]  # fmt: skip
    assert "first 1.0.0 is in force again" in model("rollback")
    assert "The shipped model is in force again" in model("rollback")
    assert msgspec.json.decode(model("list", "--json"))["models"] == []
    assert affectd("model", "rollback", "--config", config, env=env).returncode == 65


def test_install_when_the_library_is_missing_then_says_which_extra(release, trusted, tmp_path) -> None:
    config = tmp_path / "affectd.toml"
    config.write_text(f'[model]\ntrusted_keys = "{trusted}"\n')
    done = affectd("model", "install", release, "--config", config, env=without("cryptography", tmp_path))

    assert done.returncode == 69
    assert "pip install '.[update]'" in done.stderr


def test_shipped_model_when_nothing_is_installed_then_it_is_what_runs(device_settings, store) -> None:
    assert load_model(device_settings, store).card == EmotionModel().card
    assert not store.folder.exists()
    assert SHIPPED_MODEL.is_file()


def test_doctor_when_a_model_is_installed_then_that_is_what_it_looks_at(release, trusted, tmp_path) -> None:
    config = tmp_path / "affectd.toml"
    config.write_text(f'[model]\ntrusted_keys = "{trusted}"\n')
    env = {"XDG_STATE_HOME": str(tmp_path)}
    affectd("model", "install", release, "--config", config, env=env)

    assert "first: 7 emotions" in affectd("doctor", "--only", "model", "--config", config, env=env).stdout
