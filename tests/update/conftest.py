"""A maker with a key, a device that trusts it, and releases of the shipped model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from support.http_folder import serve

from edge.inference.model import SHIPPED_MODEL, ModelSettings
from edge.inference.model_file import pack_model, read_model_file
from edge.update.store import ModelStore


def signing():
    """Late, so that the tests can be collected, and skipped, where cryptography is not installed."""
    import converter.signing  # noqa: PLC0415

    return converter.signing


@pytest.fixture(scope="session")
def key_file(tmp_path_factory) -> Path:
    """The public half; the private one lies beside it."""
    return signing().make_key(tmp_path_factory.mktemp("maker") / "maker.pem")


@pytest.fixture(scope="session")
def key(key_file):
    return signing().read_key(key_file.with_name("maker.pem"))


@pytest.fixture
def forger(tmp_path):
    """The key of somebody whom the device does not trust."""
    signing().make_key(tmp_path / "forger.pem")
    return signing().read_key(tmp_path / "forger.pem")


@pytest.fixture(scope="session")
def trusted(tmp_path_factory, key_file) -> Path:
    """The folder of trusted keys of a device."""
    folder = tmp_path_factory.mktemp("trusted")
    (folder / "maker.pem").write_bytes(key_file.read_bytes())
    return folder


@pytest.fixture(scope="session")
def make_release(tmp_path_factory, key) -> Callable[..., Path]:
    """Makes a signed release of the shipped flatbuffer, with a changed card where that is asked for."""
    folder = tmp_path_factory.mktemp("releases")

    def make(version: str, **changes: object) -> Path:
        card, flatbuffer = read_model_file(SHIPPED_MODEL)
        path = folder / f"{version}-{len(list(folder.iterdir()))}.tflite"
        path.write_bytes(pack_model(flatbuffer, msgspec.structs.replace(card, **changes)))
        signing().sign(path, path, key, version)
        return path

    return make


@pytest.fixture(scope="session")
def release(make_release) -> Path:
    """Version 1.0.0 of a model of a name of its own."""
    return make_release("1.0.0", name="first")


@pytest.fixture
def store(tmp_path) -> ModelStore:
    return ModelStore(tmp_path / "state" / "models")


@pytest.fixture
def device_settings(trusted) -> ModelSettings:
    return ModelSettings(trusted_keys=str(trusted))


@pytest.fixture
def server(tmp_path) -> Iterator[tuple[str, Path]]:
    """The URL of a folder that is served over HTTP, and the folder."""
    folder = tmp_path / "www"
    folder.mkdir()
    with serve(folder) as url:
        yield url, folder
