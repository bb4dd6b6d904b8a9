"""What systemd hears from a daemon, on a socket that this test holds in its place."""

import os
import queue
import signal
import socket
import sys
import threading

import pytest
from support.programs import TIMEOUT_S, Program
from support.sound import DEMO_SPEECH, silence

from edge.audio.settings import AudioSettings, SourceKind
from edge.audio.supervisor import SupervisedSource
from edge.config import Config
from edge.health import TimedModel
from edge.inference.model import ModelSettings
from edge.listener import Listener
from edge.mqtt.client import Publisher
from edge.mqtt.settings import MqttSettings
from edge.watchdog import Watchdog


@pytest.fixture
def systemd(tmp_path, monkeypatch):
    """The socket that systemd would listen to."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(TIMEOUT_S)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listening


def heard(systemd: socket.socket, count: int) -> list[str]:
    return [systemd.recv(100).decode() for _ in range(count)]


def test_daemon_when_systemd_watches_then_it_says_ready_then_alive_again_and_again_then_stopping(
    systemd, to_nowhere
):
    env = {"NOTIFY_SOCKET": systemd.getsockname(), "WATCHDOG_USEC": "1000000"}
    with Program("run", *to_nowhere, "--source", "stdin", env=env) as daemon:
        daemon.say(silence(0.1))
        assert heard(systemd, 4) == ["READY=1", "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1"]
        assert daemon.signal(signal.SIGTERM)[0] == 0
    last = ""
    while last != "STOPPING=1":
        last = heard(systemd, 1)[0]


HANGS = """
import sys, threading
from edge.cli import main
from edge.health import TimedModel
TimedModel.answer = lambda *_: threading.Event().wait()
sys.exit(main())
"""


def test_daemon_when_its_recognition_hangs_then_it_ends_by_itself_once_systemds_patience_is_over(
    systemd, to_nowhere
):
    env = {"NOTIFY_SOCKET": systemd.getsockname(), "WATCHDOG_USEC": "2000000"}
    arguments = ["run", *to_nowhere, "--source", "file", "--file", DEMO_SPEECH]
    with Program(*arguments, command=[sys.executable, "-c", HANGS], env=env) as daemon:
        assert heard(systemd, 1) == ["READY=1"]
        assert daemon.wait(20.0) == 70
    assert any("busy with one block of sound for 2 s, and hangs" in line for line in daemon.lines)


@pytest.fixture
def to_nowhere(tmp_path):
    return ["--no-config", "--host", "127.0.0.1", "--port", "1", "--outbox", "memory"]


def test_feed_when_it_is_called_all_the_time_then_systemd_is_told_now_and_then(systemd, monkeypatch):
    monkeypatch.setenv("WATCHDOG_USEC", "3600000000")
    watchdog = Watchdog()
    for _ in range(100):
        watchdog.feed()
    watchdog.stopping()
    assert heard(systemd, 2) == ["WATCHDOG=1", "STOPPING=1"]


def test_watchdog_when_another_process_is_watched_then_nothing_is_too_slow(monkeypatch):
    monkeypatch.setenv("WATCHDOG_USEC", "1000000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid() + 1))
    assert Watchdog().patience_s == float("inf")


def test_watchdog_when_systemd_has_gone_then_the_daemon_goes_on(monkeypatch, tmp_path, caplog):
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    Watchdog().ready()
    assert "cannot notify systemd of READY=1" in caplog.text


def test_listener_when_a_block_is_never_done_with_then_it_is_busy_for_ever_longer():
    """So that a hung recognition is not fed for, though the main thread still runs."""
    let_go, reached = threading.Event(), threading.Event()

    class HangingModel(TimedModel):
        def answer(self, frames, reference=None):
            reached.set()
            let_go.wait(TIMEOUT_S)
            return super().answer(frames)

    publisher = Publisher(MqttSettings(host="127.0.0.1", port=1))
    source = SupervisedSource(AudioSettings(source=SourceKind.FILE, path=str(DEMO_SPEECH)))
    listener = Listener(Config(), HangingModel(ModelSettings()), source, publisher, queue.SimpleQueue())
    listener.start()
    assert reached.wait(TIMEOUT_S)
    before = listener.busy_s()
    assert 0.0 < before < listener.busy_s()
    let_go.set()
    listener.join(TIMEOUT_S)
    assert listener.busy_s() == 0.0
