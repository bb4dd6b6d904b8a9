"""The command line itself: help, version, usage, exit codes, configuration."""

import signal
import socket
import subprocess
import tomllib
from pathlib import Path

import pytest
from support.brokers import free_port
from support.missing import needs_amqtt, without
from support.programs import AFFECTD, Program, affectd, environment
from support.sound import DEMO_SPEECH

COMMANDS = (
    "run", "classify", "demo", "devices", "doctor", "config", "bench", "model", "enrol", "broker",
    "provision", "web",
)  # fmt: skip


def one_line(run, exit_code):
    assert run.returncode == exit_code, run.stderr
    (line,) = run.stderr.splitlines()
    return line


@pytest.mark.parametrize("command", COMMANDS)
def test_help_when_asked_of_a_command_then_printed_and_listed(command):
    run = affectd(command, "--help")

    assert run.returncode == 0
    assert run.stdout.startswith(f"usage: affectd {command}")
    assert f"\n    {command}" in affectd("--help").stdout


def test_version_when_asked_then_printed():
    run = affectd("--version")

    assert run.returncode == 0
    assert run.stdout.startswith("affectd ")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["sing"],
        ["classify"],
        ["run", "--port", "many"],
        ["run", "--source", "radio"],
        ["run", "--file", "a", "--command", "b"],
        ["run", "--config", "a", "--no-config"],
        ["config", "hide"],
    ],
)
def test_usage_when_wrong_then_64_and_the_last_line_says_where_help_is(arguments):
    run = affectd(*arguments)

    assert run.returncode == 64
    assert run.stdout == ""
    assert "--help" in run.stderr.splitlines()[-1]


def test_usage_when_options_contradict_the_source_then_64_in_one_line():
    run = affectd("run", "--no-config", "--source", "stdin", "--file", DEMO_SPEECH)

    assert "--source stdin contradicts" in one_line(run, 64)


def test_usage_when_realtime_is_given_without_a_file_then_64_in_one_line():
    assert "--file" in one_line(affectd("run", "--no-config", "--source", "stdin", "--realtime"), 64)


def test_cli_when_imported_then_numpy_is_not():
    code = "import sys, edge.cli; print({'numpy', 'msgspec', 'paho'} & set(sys.modules))"
    run = subprocess.run(
        [AFFECTD[0], "-c", code], env=environment(), capture_output=True, text=True, check=True
    )

    assert run.stdout == "set()\n"


@pytest.mark.parametrize("command", [["config"], ["config", "show"]])
def test_config_when_shown_then_is_toml_that_loads_to_the_same_and_names_origins(command, tmp_path):
    file = tmp_path / "affectd.toml"
    file.write_text(
        '[mqtt]\nhost = "bröker.lan"\n[audio]\ncommand = ["rec", "a \\"b\\""]\nsource = "command"\n'
    )
    shown = affectd(*command, "--config", file).stdout
    tables = tomllib.loads(shown)

    assert tables["mqtt"]["host"] == "bröker.lan"
    assert tables["audio"]["command"] == ["rec", 'a "b"']
    origins = {line.split(" = ")[0]: line.rpartition("# ")[2] for line in shown.splitlines() if " = " in line}
    assert origins["host"] == origins["command"] == str(file)
    assert origins["keepalive_s"] == "default"
    again = tmp_path / "again.toml"
    again.write_text(shown)
    assert tomllib.loads(affectd("config", "--config", again).stdout) == tables


def test_config_when_shown_then_no_secret_is(tmp_path):
    password = tmp_path / "password"
    password.write_text("correct horse\n")
    file = tmp_path / "affectd.toml"
    file.write_text(f'[mqtt]\nusername = "pi"\npassword_file = "{password}"\n')
    run = affectd("config", "--config", file, env={"AFFECTD_MQTT_PASSWORD": "battery staple"})

    assert run.returncode == 0
    assert str(password) in run.stdout
    assert "horse" not in run.stdout + run.stderr
    assert "staple" not in run.stdout + run.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[mqtt]\nhots = 'x'", "unknown key 'hots' in [mqtt]; did you mean 'host'?"),
        ("[mqqt]\nhost = 'x'", "unknown table [mqqt]; did you mean 'mqtt'?"),
        ("[mqtt]\nport = '1883'", "mqtt.port: Expected `int`"),
        ("[mqtt]\nport = 0", "port is 0"),
        ("[mqtt\n", "is not TOML"),
    ],
)
@pytest.mark.parametrize("command", ["run", "config"])
def test_config_when_wrong_then_78_in_one_line_that_names_file_and_key(command, text, words, tmp_path):
    file = tmp_path / "affectd.toml"
    file.write_text(text)
    line = one_line(affectd(command, "--config", file), 78)

    assert line.startswith(f"affectd: {file}: ")
    assert words in line


@pytest.mark.parametrize(
    ("options", "exit_code", "words"),
    [
        (["--file", "none.wav"], 66, "does not exist"),
        (["--file", __file__], 65, "no sound"),
        (["--source", "stdin"], 65, "ended without any sound"),
        (["--command", "no-such-program"], 69, "cannot be run"),
        (["--command", "sh -c 'echo the card is busy >&2; exit 3'"], 69, "the card is busy"),
        (["--port", "0"], 78, "port is 0"),
    ],
)
def test_run_when_the_source_fails_then_the_process_ends_with_its_code(
    options, exit_code, words, mosquitto, device
):
    to_broker = ["--no-config", "--host", "127.0.0.1", "--device-id", device, "--log-level", "warning"]
    port = [] if "--port" in options else ["--port", mosquitto.port]

    assert words in one_line(affectd("run", *to_broker, *port, *options), exit_code)


def test_run_when_recognition_breaks_down_then_the_process_ends_with_70(tmp_path, mosquitto, device):
    (tmp_path / "pyaudio.py").write_text(
        "class PyAudio:\n    def __init__(self): raise RuntimeError('boom')\n"
    )
    run = affectd(
        *("run", "--no-config", "--host", "127.0.0.1", "--port", mosquitto.port, "--device-id", device),
        env={"PYTHONPATH": str(tmp_path)},
    )

    assert run.returncode == 70
    assert "recognition has failed" in run.stderr
    assert "boom" in run.stderr


@needs_amqtt
@pytest.mark.parametrize(
    "command",
    [
        ["run", "--no-config", "--log-level", "warning", "--embedded-broker", "--file", DEMO_SPEECH],
        ["broker"],
    ],
    ids=["run", "broker"],
)
def test_broker_when_its_port_is_in_use_then_69_in_one_line(command):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        line = one_line(affectd(*command, "--port", port), 69)

    assert f"already listens on 127.0.0.1:{port}" in line


@pytest.mark.parametrize(
    "command",
    [
        ["run", "--no-config", "--log-level", "warning", "--embedded-broker", "--file", DEMO_SPEECH],
        ["broker"],
        ["demo"],
    ],
    ids=["run", "broker", "demo"],
)
def test_broker_when_amqtt_is_not_installed_then_69_in_one_line(command, tmp_path):
    line = one_line(affectd(*command, env=without("amqtt", tmp_path)), 69)

    assert "pip install '.[broker]'" in line


@needs_amqtt
def test_broker_when_the_network_would_reach_it_without_a_password_then_78_in_one_line():
    line = one_line(affectd("broker", "--bind", "0.0.0.0"), 78)

    assert line.startswith("affectd: bind is 0.0.0.0")
    assert "allow_anonymous" in line


def test_broker_when_run_alone_then_serves_until_interrupted():
    with Program("broker", "--port", free_port()) as broker:
        broker.wait_for("MQTT broker listens")
        code, took = broker.signal(signal.SIGINT)

    assert code == 0
    assert took < 2.0


@pytest.mark.parametrize("command", [["devices"], ["run", "--no-config", "--log-level", "error"]])
def test_microphone_when_pyaudio_is_not_installed_then_69_in_one_line(command, tmp_path):
    line = one_line(affectd(*command, env=without("pyaudio", tmp_path)), 69)

    assert "pip install '.[mic]'" in line


@pytest.mark.parametrize("command", [["devices"], ["run", "--no-config", "--log-level", "error"]])
def test_microphone_when_there_is_none_then_69_in_one_line(command, alsa_config):
    if Path("/proc/asound/cards").exists():
        pytest.skip("this machine has sound cards")
    line = one_line(affectd(*command, env=alsa_config("")), 69)

    assert "there is no input device" in line


def test_microphone_when_the_name_is_wrong_then_66_names_those_present(fake_microphone):
    pipe, env = fake_microphone
    with pipe.open("r+b", buffering=0):
        run = affectd("run", "--no-config", "--log-level", "error", "--device", "webcam", env=env)

    line = one_line(run, 66)
    assert "'webcam'" in line
    assert "'fakemic'" in line
