"""A daemon whose source fails, is muted, or starts muted: what the subscriber learns of it."""

from __future__ import annotations

import shlex
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from support.processes import children
from support.programs import Program
from support.sound import DEMO_SPEECH
from support.subscriber import Subscriber

from edge.mqtt.messages import Health, Microphone, State, Turn

ENDLESS = shlex.join(["sh", "-c", 'exec tr "\\000" "\\301" < /dev/zero'])


@pytest.fixture
def live(mosquitto, device: str) -> Iterator[Subscriber]:
    with Subscriber(mosquitto.port, f"affectd/{device}/#") as subscriber:
        yield subscriber


def wait_for_microphone(live: Subscriber, device: str, microphone: Microphone) -> State:
    """The next state that says so."""
    while True:
        state = msgspec.json.decode(live.wait_for(f"affectd/{device}/state").payload, type=State)
        if state.microphone is microphone:
            return state


def wait_for_health(live: Subscriber, device: str, microphone: Microphone) -> Health:
    while True:
        health = msgspec.json.decode(live.wait_for(f"affectd/{device}/health").payload, type=Health)
        if health.microphone is microphone:
            return health


def test_run_when_a_command_fails_then_state_and_health_say_so_and_every_turn_arrives(
    live: Subscriber, device: str, to_broker, tmp_path: Path, speech: bytes
) -> None:
    sound = tmp_path / "speech.raw"
    sound.write_bytes(speech)
    script = f'cat "{sound}"; echo x >> "$0"; [ $(wc -l < "$0") -eq 2 ] || {{ echo gone >&2; exit 1; }}'
    command = shlex.join(["sh", "-c", script, str(tmp_path / "runs")])
    with Program("run", *to_broker, "--command", command) as daemon:
        lost = wait_for_microphone(live, device, Microphone.LOST)
        assert (lost.emotion, lost.speaking) == ("none", False)
        health = wait_for_health(live, device, Microphone.LOST)
        assert "it said: gone" in (health.microphone_trouble or "")
        wait_for_microphone(live, device, Microphone.OK)
        rest = live.collect_until(f"affectd/{device}/availability", b"offline")
        assert daemon.wait() == 0

    # What was said before it failed was heard once, and again when it ran anew.
    topic = f"affectd/{device}/turn"
    assert (
        sum(message.topic == topic for message in rest) == sum("turn: " in line for line in daemon.lines) / 2
    )
    daemon.wait_for("there is sound again")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment that systemd gives a service."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        yield {"NOTIFY_SOCKET": str(tmp_path / "notify")}


def test_service_when_the_microphone_is_missing_from_the_start_then_online_and_lost_until_it_is_there(
    live: Subscriber, device: str, to_broker, tmp_path: Path, service: dict[str, str]
) -> None:
    (tmp_path / "affectd.toml").write_text("[audio]\nreopen_s = 1.0\n")
    options = ("--config", tmp_path / "affectd.toml", *to_broker[1:])
    plugged = tmp_path / "plugged"
    script = f'[ -e "$0" ] || {{ echo "no such card" >&2; exit 1; }}; {ENDLESS}'
    with Program(
        "run", *options, "--command", shlex.join(["sh", "-c", script, str(plugged)]), env=service
    ) as daemon:
        assert "no such card" in (wait_for_health(live, device, Microphone.LOST).microphone_trouble or "")
        # Well beyond `reopen_s`, at which an unattended process ends.
        time.sleep(3.0)
        plugged.touch()
        live_again = live.collect_until(f"affectd/{device}/health")
        daemon.signal(signal.SIGTERM)
        rest = live.collect_until(f"affectd/{device}/availability", b"offline")

    assert msgspec.json.decode(live_again[-1].payload, type=Health).microphone is Microphone.OK
    assert not any(message.topic.endswith("/availability") for message in [*live_again, *rest[:-1]])


def test_run_when_the_microphone_never_works_then_it_is_never_called_ok_and_the_end_says_lost(
    live: Subscriber, device: str, to_broker
) -> None:
    command = shlex.join(["sh", "-c", "sleep 2; echo no such card >&2; exit 1"])
    with Program("run", *to_broker, "--command", command) as daemon:
        told = live.collect_until(f"affectd/{device}/availability", b"offline")
        assert daemon.wait() == 69

    states = [msgspec.json.decode(m.payload, type=State) for m in told if m.topic.endswith("/state")]
    reports = [msgspec.json.decode(m.payload, type=Health) for m in told if m.topic.endswith("/health")]
    assert [state.microphone for state in states] == [Microphone.SILENT, Microphone.LOST]
    assert Microphone.OK not in {report.microphone for report in reports}
    assert reports[-1].microphone is Microphone.LOST
    assert "no such card" in (reports[-1].microphone_trouble or "")


def test_mute_when_commanded_then_the_program_is_gone_and_a_restart_does_not_bring_it_back(
    live: Subscriber, device: str, to_broker
) -> None:
    topic = f"affectd/{device}/command"
    options = (*to_broker, "--command", ENDLESS)
    with Program("run", *options) as daemon:
        wait_for_microphone(live, device, Microphone.OK)
        live.say(f"{topic}/mute", "{}")
        wait_for_microphone(live, device, Microphone.MUTED)
        assert children(daemon.process.pid) == []
        assert daemon.signal(signal.SIGTERM)[0] == 0
        live.wait_for(f"affectd/{device}/availability", b"offline")

    with Program("run", *options) as daemon:
        daemon.wait_for("muted: not listening until")
        wait_for_microphone(live, device, Microphone.MUTED)
        assert children(daemon.process.pid) == []
        live.say(f"{topic}/unmute", "{}")
        wait_for_microphone(live, device, Microphone.OK)
        assert len(children(daemon.process.pid)) == 1
        daemon.signal(signal.SIGTERM)

    with Program("run", *options) as daemon:
        wait_for_microphone(live, device, Microphone.OK)
        daemon.signal(signal.SIGTERM)


def test_run_when_it_starts_muted_then_nothing_is_opened_before_unmute(
    live: Subscriber, device: str, mosquitto, tmp_path: Path
) -> None:
    file = tmp_path / "affectd.toml"
    file.write_text(
        f'[mqtt]\nhost = "127.0.0.1"\nport = {mosquitto.port}\ndevice = "{device}"\n'
        f"[audio]\nsource = \"command\"\nstart_muted = true\ncommand = '''{ENDLESS}'''\n"
    )
    with Program("run", "--config", file) as daemon:
        state = wait_for_microphone(live, device, Microphone.MUTED)
        assert (state.emotion, state.speaking) == ("none", False)
        assert children(daemon.process.pid) == []
        live.say(f"affectd/{device}/command/unmute", "{}")
        wait_for_microphone(live, device, Microphone.OK)
        daemon.signal(signal.SIGTERM)


def test_run_when_somebody_speaks_then_the_state_has_a_first_guess(
    live: Subscriber, device: str, to_broker
) -> None:
    with Program("run", *to_broker, "--file", DEMO_SPEECH) as daemon:
        while True:
            state = msgspec.json.decode(live.wait_for(f"affectd/{device}/state").payload, type=State)
            if state.provisional:
                break
        assert state.speaking
        assert state.emotion != "none"
        turn = msgspec.json.decode(live.wait_for(f"affectd/{device}/turn").payload, type=Turn)
        assert (turn.emotion == "uncertain") == bool(turn.doubts)
        daemon.wait()
