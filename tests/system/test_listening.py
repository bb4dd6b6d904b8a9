"""A daemon whose source fails, is muted, or starts muted: what the subscriber learns of it."""

from __future__ import annotations

import shlex
import signal
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
