"""One dashboard that the tests of the API share, beside a broker; it is never changed by them."""

from __future__ import annotations

import importlib.util
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.sound import DEMO_SPEECH

from .dashboard import Dashboard


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if importlib.util.find_spec("fastapi") is None:
        here = Path(__file__).parent
        for item in items:
            if here in item.path.parents:
                item.add_marker(pytest.mark.skip(reason="no FastAPI: pip install 'affectd[web]'"))


@pytest.fixture(scope="session")
def shared_device() -> str:
    return f"test-{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="session")
def dashboard(mosquitto, shared_device, tmp_path_factory) -> Iterator[Dashboard]:
    state = {"XDG_STATE_HOME": str(tmp_path_factory.mktemp("web-state"))}
    broker = ("--host", "127.0.0.1", "--port", mosquitto.port, "--device-id", shared_device)
    with Dashboard(*broker, env=state) as running:
        yield running


@pytest.fixture(scope="session")
def speech_file() -> bytes:
    return DEMO_SPEECH.read_bytes()
