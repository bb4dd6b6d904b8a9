"""What the tests of several rooms share: child processes, a microphone made of a named pipe, a broker."""

import os
import socket
import subprocess
import sys
import textwrap
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
from support.alsa import microphone_from
from support.brokers import Mosquitto

import edge

# How long an example takes says how busy the machine is, not whether the code is right.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

_ROOT = Path(edge.__file__).parents[1]
_ALSA = Path("/usr/share/alsa/alsa.conf")


@pytest.fixture(autouse=True)
def state_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What affectd and its children keep goes to a folder of the test, not to the user's."""
    folder = tmp_path / "state-home"
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    return folder


@pytest.fixture
def child_env() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(_ROOT)}


@pytest.fixture
def run_python(child_env) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Runs Python source in a child with `edge` on its path."""

    def run(code: str, *args: object, env: dict[str, str] | None = None, **options):
        return subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code), *map(str, args)],
            env={**child_env, **(env or {})},
            check=False,
            **{"capture_output": True, "timeout": 60, **options},
        )

    return run


@pytest.fixture
def alsa_config(tmp_path) -> Callable[[str], dict[str, str]]:
    """Writes an ALSA configuration and gives the environment in which PortAudio obeys it."""
    pytest.importorskip("pyaudio", reason="PyAudio is not installed")
    if not _ALSA.exists():
        pytest.skip("ALSA is not installed")

    def configure(extra: str) -> dict[str, str]:
        path = tmp_path / "asound.conf"
        path.write_text(f"<{_ALSA}>\n{extra}\n")
        return {"ALSA_CONFIG_PATH": str(path)}

    return configure


@pytest.fixture
def fake_microphone(tmp_path, alsa_config) -> tuple[Path, dict[str, str]]:
    """A named pipe, and the environment in which ALSA shows what is written to it as the device `fakemic`.

    The pipe paces the device: with nothing written, the device delivers nothing, as when unplugged.
    """
    pipe = tmp_path / "microphone"
    os.mkfifo(pipe)
    return pipe, alsa_config(microphone_from(pipe))


@pytest.fixture(scope="session")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path_factory.mktemp("mosquitto"))
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A port of 127.0.0.1 at which nothing listens, and which nobody else can take meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.fixture
def device() -> str:
    """A device, and so topics, that no other test has."""
    return f"test-{uuid.uuid4().hex[:12]}"
