"""A driver that hangs while the microphone is being opened: here a named pipe into which nobody writes."""

import os
import signal
import time

from support.alsa import microphone_from
from support.programs import Program

OPENS_S = 1.5
"""Seconds after the start of the recognition in which PortAudio has surely begun to open the device"""


def test_daemon_when_the_driver_hangs_while_it_is_opened_then_it_stops_all_the_same(tmp_path, alsa_config):
    os.mkfifo(tmp_path / "microphone")
    env = alsa_config(microphone_from(tmp_path / "microphone"))
    arguments = ["--no-config", "--device", "fakemic", "--host", "127.0.0.1", "--port", "1"]
    with Program("run", *arguments, "--outbox", "memory", env=env) as daemon:
        # What it logs next is lost with PortAudio's own chatter once the opening hangs.
        daemon.wait_for("model runs in")
        time.sleep(OPENS_S)
        code, _ = daemon.signal(signal.SIGTERM)

    assert code == 0
