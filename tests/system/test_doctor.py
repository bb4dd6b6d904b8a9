"""`affectd doctor` on this machine, with a real broker and a real sound source, and with neither."""

import json
import sys

import pytest
from support.brokers import free_port, make_broker
from support.mosquitto_sub import MosquittoSub
from support.programs import Program, affectd
from support.sound import DEMO_SPEECH
from support.subscriber import Subscriber

import edge
from edge.mqtt.home_assistant import identifier
from edge.mqtt.topics import Topics

TELL_BROKER = ("--only", "broker", "home-assistant", "--json")


@pytest.fixture
def config(tmp_path, mosquitto, device):
    """A device that hears the bundled speech and has a broker."""
    path = tmp_path / "affectd.toml"
    path.write_text(
        f'[audio]\nsource = "file"\npath = "{DEMO_SPEECH}"\nrealtime = true\n'
        f'[mqtt]\nhost = "127.0.0.1"\nport = {mosquitto.port}\ndevice = "{device}"\n'
        f'[outbox]\npath = "{tmp_path}/outbox.sqlite3"\n'
    )
    return path


def findings(done) -> list[tuple[str, str]]:
    assert done.stderr == ""
    return [(finding["stage"], finding["verdict"]) for finding in json.loads(done.stdout)["findings"]]


def test_doctor_when_affectd_works_then_nothing_fails_and_every_stage_is_there(config):
    done = affectd("doctor", "--config", config, "--json")

    report = json.loads(done.stdout)
    # How fast this machine is at the moment is not the point.
    failed = {finding["stage"] for finding in report["findings"] if finding["verdict"] == "fail"}
    assert failed <= {"speed"}
    assert done.returncode == (69 if failed else 0)
    assert report["affectd"] == edge.__version__
    assert list(dict.fromkeys(stage for stage, _ in findings(done))) == [
        "configuration", "system", "model", "speed", "permissions", "microphone", "clock", "disk", "board",
        "broker", "home-assistant",
    ]  # fmt: skip


def test_doctor_when_affectd_runs_then_it_is_not_disturbed_and_its_description_is_found(
    config, mosquitto, device
):
    with MosquittoSub(mosquitto.port, device) as subscriber, Program("run", "--config", config) as daemon:
        subscriber.wait_for_turns(1)
        before = findings(affectd("doctor", "--config", config, *TELL_BROKER))
        subscriber.wait_for_turns(len(subscriber.turns) + 1)
        assert not any("take the connection over" in line for line in daemon.lines)
        assert ("availability", "offline") not in [(m.kind, m.payload) for m in subscriber.messages]
    assert [verdict for stage, verdict in before if stage == "broker"] == ["ok"] * 5
    assert ("home-assistant", "ok") in before


@pytest.fixture(params=["mosquitto", "amqtt"])
def any_broker(request, tmp_path):
    """One that speaks MQTT 5, or 3.1.1 alone."""
    broker = make_broker(request.param, tmp_path)
    broker.start()
    yield broker
    broker.stop()


def test_doctor_when_a_device_with_a_room_runs_then_its_description_is_found_in_the_brokers_version(
    any_broker, tmp_path, device
):
    port, path = any_broker.port, tmp_path / "affectd.toml"
    path.write_text(
        '[audio]\nsource = "stdin"\n'
        f'[mqtt]\nhost = "127.0.0.1"\nport = {port}\ndevice = "{device}"\nroom = "living-room"\n'
    )
    place = f"homeassistant/device/{identifier(Topics('affectd/living-room', device))}/config"
    with Subscriber(port, place) as home_assistant, Program("run", "--config", path):
        home_assistant.wait_for(place)
        found = findings(affectd("doctor", "--config", path, "--only", "home-assistant", "--json"))
    assert ("home-assistant", "ok") in found
    assert "warn" not in [verdict for _, verdict in found]


def test_doctor_when_there_is_no_broker_then_it_fails_with_69_and_says_what_to_do(tmp_path, deaf_port):
    path = tmp_path / "affectd.toml"
    path.write_text(f'[mqtt]\nhost = "127.0.0.1"\nport = {deaf_port}\n')
    done = affectd("doctor", "--config", path, "--only", "broker", "home-assistant")
    assert done.returncode == 69
    assert "  ok    DNS: " in done.stdout
    assert "  fail  TCP: " in done.stdout
    assert "        → start the broker" in done.stdout
    assert "the broker cannot be reached: see `affectd doctor --only broker`" in done.stdout


def test_doctor_when_the_embedded_broker_is_not_running_then_that_is_no_fault(tmp_path):
    path = tmp_path / "affectd.toml"
    port = free_port()
    path.write_text(f"[mqtt]\nport = {port}\n[broker]\nembedded = true\nport = {port}\n")
    done = affectd("doctor", "--config", path, *TELL_BROKER)
    assert ("broker", "skip") in findings(done)
    assert done.returncode == 0


def test_doctor_when_the_configuration_is_wrong_then_it_ends_with_78_and_still_looks_at_the_machine(tmp_path):
    path = tmp_path / "affectd.toml"
    path.write_text("[mqtt]\nhots = 'broker'\n")
    done = affectd("doctor", "--config", path, "--json")
    assert done.returncode == 78
    assert findings(done)[0] == ("configuration", "fail")
    assert "did you mean 'host'" in done.stdout
    assert {stage for stage, _ in findings(done)} == {"configuration", "system", "clock", "board"}


def test_doctor_when_the_model_is_damaged_then_it_says_so_and_goes_on(tmp_path):
    model = tmp_path / "model.tflite"
    model.write_bytes(b"\0\0\0\0TFL3" + b"\0" * 100)
    path = tmp_path / "affectd.toml"
    path.write_text(f'[model]\npath = "{model}"\n')
    done = affectd("doctor", "--config", path, "--only", "model", "speed", "clock", "--json")
    assert done.returncode == 69
    assert ("model", "fail") in findings(done)
    assert findings(done)[-1][0] == "clock"


def test_doctor_when_it_is_only_asked_for_help_then_it_loads_nothing_heavy(run_python):
    code = """
        import sys
        from edge.cli import main
        try:
            main(["doctor", "--help"])
        except SystemExit:
            pass
        sys.exit(bool({"numpy", "msgspec", "paho"} & set(sys.modules)))
    """
    assert run_python(code).returncode == 0


@pytest.mark.parametrize("stage", ["microphon", "all"])
def test_doctor_when_a_stage_is_not_known_then_usage_is_told(stage):
    done = affectd("doctor", "--only", stage)
    assert done.returncode == 64
    assert "home-assistant" in done.stderr
    assert sys.executable not in done.stderr
