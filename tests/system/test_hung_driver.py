"""A driver that hangs while the microphone is being opened: here a named pipe into which nobody writes."""

import json
import os
import signal

import pytest
from support.alsa import microphone_from
from support.programs import Program, affectd


@pytest.fixture
def hung(tmp_path, alsa_config):
    """The environment in which every attempt to open the microphone hangs."""
    os.mkfifo(tmp_path / "microphone")
    return alsa_config(microphone_from(tmp_path / "microphone"))


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "affectd.toml"
    path.write_text('[audio]\ndevice = "fakemic"\n')
    return path


@pytest.fixture
def daemon(hung):
    arguments = ["--no-config", "--device", "fakemic", "--host", "127.0.0.1", "--port", "1"]
    with Program("run", *arguments, "--outbox", "memory", env=hung) as program:
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


@pytest.mark.slow
def test_doctor_when_the_driver_hangs_then_it_says_so_and_goes_on_to_the_other_checks(hung, config):
    done = affectd("doctor", "--config", config, "--only", "microphone", "clock", "--json", env=hung)

    microphone, clock = json.loads(done.stdout)["findings"]
    assert (microphone["stage"], microphone["verdict"]) == ("microphone", "fail")
    assert "hangs" in microphone["message"]
    assert "plug it in again" in microphone["remedy"]
    assert clock["stage"] == "clock"
    assert done.returncode == 69


@pytest.mark.slow
@pytest.mark.parametrize("command", ["enrol", "devices"])
def test_command_when_the_driver_hangs_then_it_says_so_and_ends_with_69(hung, config, command):
    done = affectd(command, *(["--config", config] if command == "enrol" else []), env=hung)

    assert "and hangs; unplug the microphone and plug it in again" in done.stderr
    assert done.returncode == 69


def test_enrol_when_the_driver_hangs_and_ctrl_c_is_pressed_then_it_ends(hung, config):
    with Program("enrol", "--config", config, env=hung) as program:
        program.wait_for("Speak in your everyday voice")
        code, _ = program.signal(signal.SIGINT)

    assert code == 130
