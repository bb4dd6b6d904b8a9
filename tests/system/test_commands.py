"""Commands to a running daemon, through a real broker."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from support.programs import Program
from support.sound import silence
from support.subscriber import Subscriber

from edge.mqtt.messages import Health, Microphone, State, Turn


@pytest.fixture
def config(tmp_path: Path, mosquitto, device: str) -> Path:
    file = tmp_path / "affectd.toml"
    file.write_text(f'[mqtt]\nhost = "127.0.0.1"\nport = {mosquitto.port}\ndevice = "{device}"\n')
    return file


@pytest.fixture
def daemon(config: Path, live: Subscriber, device: str) -> Iterator[Program]:
    with Program("run", "--config", config, "--source", "stdin") as program:
        live.wait_for(f"affectd/{device}/state")
        yield program


@pytest.fixture
def live(mosquitto, device: str) -> Iterator[Subscriber]:
    with Subscriber(mosquitto.port, f"affectd/{device}/#") as subscriber:
        yield subscriber


@pytest.fixture
def command(live: Subscriber, device: str):
    return partial(live.command, device)


def test_mute_when_commanded_then_no_turn_comes_until_unmuted(daemon, command, live, device, speech) -> None:
    assert command("mute").result == {"muted": True, "remembered": True}
    daemon.say(speech)
    daemon.say(silence(1.0))
    health = msgspec.json.decode(msgspec.json.encode(command("health").result), type=Health)
    assert health.muted
    while health.microphone is not Microphone.MUTED:
        health = msgspec.json.decode(msgspec.json.encode(command("health").result), type=Health)
    assert command("unmute").result == {"muted": False, "remembered": True}
    daemon.say(speech)
    turns = [live.wait_for(f"affectd/{device}/turn") for _ in range(7)]
    daemon.end_input()
    daemon.wait()
    assert [msgspec.json.decode(turn.payload, type=Turn).emotion for turn in turns]


def test_threshold_when_set_to_one_then_every_turn_is_uncertain(
    daemon, command, live, device, speech
) -> None:
    assert command("threshold", value=1.0).result == {"uncertain_below": 1.0, "remembered": True}
    assert command("model/info").result["uncertain_below"] == 1.0
    daemon.say(speech)
    turn = msgspec.json.decode(live.wait_for(f"affectd/{device}/turn").payload, type=Turn)
    assert (turn.emotion, turn.confidence < 1.0) == ("uncertain", True)


def test_sensitivity_when_set_then_moves_the_margin_and_is_refused_out_of_range(daemon, command) -> None:
    assert command("sensitivity", value=-20).result == {
        "sensitivity": -20.0,
        "margin_db": 29.0,
        "remembered": True,
    }
    assert not command("sensitivity", value=60).ok


def test_reload_when_the_file_has_changed_then_says_what_is_in_force(daemon, command, config) -> None:
    text = config.read_text()
    config.write_text(text + "[gate]\nmargin_db = 12.0\n[voice]\nfollow = false\n[outbox]\nmax_turns = 7\n")
    answer = command("reload").result
    assert (sorted(answer["changed"]), answer["needs_restart"]) == (["gate", "voice"], ["outbox"])
    assert command("sensitivity", value=2).result["margin_db"] == 10.0


def test_reload_when_the_file_is_wrong_then_is_refused_and_the_old_one_holds(daemon, command, config) -> None:
    text = config.read_text()
    config.write_text(text + "[gate]\nmargin = 12.0\n")
    answer = command("reload")
    assert not answer.ok
    assert "did you mean 'margin_db'?" in (answer.reason or "")
    assert command("sensitivity", value=0).result["margin_db"] == 9.0


def test_identify_and_model_info_when_asked_then_say_who_it_is(daemon, command, device) -> None:
    assert command("identify").result["device"] == device
    daemon.wait_for("identify")
    assert {"name", "sha256", "labels", "runtime"} <= set(command("model/info").result)


def test_restart_when_commanded_then_says_offline_and_ends_for_its_supervisor(
    daemon, command, live, device
) -> None:
    assert command("restart").ok
    live.wait_for(f"affectd/{device}/availability", b"offline")
    assert daemon.wait() == 75


def test_health_when_the_daemon_runs_then_is_published_and_retained(daemon, mosquitto, live, device) -> None:
    topic = f"affectd/{device}/health"
    live.wait_for(topic)
    health = retained(mosquitto.port, topic, Health)
    assert health.rss_bytes > 1_000_000
    assert (health.muted, health.queued_turns, health.dropped_turns) == (False, 0, 0)


def test_state_when_muted_then_becomes_none(daemon, command, mosquitto, live, device, speech) -> None:
    topic = f"affectd/{device}/state"
    daemon.say(speech)
    live.wait_for(f"affectd/{device}/turn")
    assert command("mute").ok
    daemon.say(silence(0.5))
    while True:
        state = retained(mosquitto.port, topic, State)
        if (state.emotion, state.speaking, state.microphone) == ("none", False, Microphone.MUTED):
            break


def retained(port: int, topic: str, kind: type[Any]) -> Any:
    """What somebody who comes now is told."""
    with Subscriber(port, topic) as late:
        message = late.wait_for(topic)
    return msgspec.json.decode(message.payload, type=kind)


def test_tuning_when_the_daemon_is_killed_then_holds_at_the_next_start_until_a_reload(
    config: Path, live: Subscriber, command, device: str
) -> None:
    def start() -> Program:
        return Program("run", "--config", config, "--source", "stdin")

    with start():
        live.wait_for(f"affectd/{device}/availability", b"online")
        as_made = command("model/info").result["uncertain_below"]
        assert command("threshold", value=0.99).ok
        assert command("sensitivity", value=3).ok
    live.wait_for(f"affectd/{device}/availability", b"offline")
    with start():
        live.wait_for(f"affectd/{device}/availability", b"online")
        assert command("model/info").result["uncertain_below"] == 0.99
        assert command("health").result["sensitivity_db"] == 3.0
        assert command("reload").ok
    live.wait_for(f"affectd/{device}/availability", b"offline")
    with start():
        live.wait_for(f"affectd/{device}/availability", b"online")
        assert command("model/info").result["uncertain_below"] == as_made
        assert command("health").result["sensitivity_db"] == 0.0
