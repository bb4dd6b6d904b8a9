"""A driver that hangs while the microphone is being opened: here a named pipe into which nobody writes."""

import os
import signal

import pytest
from support.alsa import microphone_from
from support.programs import Program


@pytest.fixture
def daemon(tmp_path, alsa_config):
    os.mkfifo(tmp_path / "microphone")
    env = alsa_config(microphone_from(tmp_path / "microphone"))
    arguments = ["--no-config", "--device", "fakemic", "--host", "127.0.0.1", "--port", "1"]
    with Program("run", *arguments, "--outbox", "memory", env=env) as program:
        # The log goes on meanwhile; by its next line, PortAudio has surely begun to open the device.
        program.wait_for("nothing listens there")
        yield program


def test_daemon_when_the_driver_hangs_while_it_is_opened_then_it_stops_all_the_same(daemon):
    code, _ = daemon.signal(signal.SIGTERM)

    assert code == 0


@pytest.mark.slow
def test_daemon_when_the_driver_goes_on_hanging_then_it_says_so_and_ends_with_69(daemon):
    assert daemon.wait() == 69
    assert any("been opening the microphone for 15 s, and hangs" in line for line in daemon.lines)
