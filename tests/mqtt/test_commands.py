"""What counts as a command, and how each is answered."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.brokers import Broker, settings_of
from support.subscriber import Subscriber

from edge.errors import AffectdError
from edge.mqtt.client import Publisher
from edge.mqtt.commands import KINDS, MAX_BYTES, Command, CommandDesk, CommandResult
from edge.mqtt.topics import Topics

TOPICS = Topics("affectd", "pi")


class Desk:
    """A desk whose clock stands still unless it is moved, and what came of each message."""

    def __init__(self) -> None:
        self.now = 0.0
        self.executed: list[tuple[str, Command]] = []
        self.answers: list[tuple[str, bytes]] = []
        self.desk = CommandDesk(
            TOPICS, self._execute, lambda *answer: self.answers.append(answer), lambda: self.now
        )

    def _execute(self, name: str, command: Command) -> dict[str, Any]:
        self.executed.append((name, command))
        if name == "reload":
            raise AffectdError("affectd.toml: is not TOML")
        if name == "restart":
            raise RuntimeError("a fault of ours")
        return {"done": name}

    def say(self, name: str, payload: bytes, retained: bool = False) -> CommandResult | None:
        """The answer to a message."""
        before = len(self.answers)
        self.desk.receive(f"{TOPICS.command}/{name}", payload, retained)
        if len(self.answers) == before:
            return None
        topic, answer = self.answers[-1]
        assert len(self.answers) == before + 1
        assert topic == f"{TOPICS.command}/{name}/result"
        return msgspec.json.decode(answer, type=CommandResult)


VALUES = {
    "sensitivity": b'"value": 3',
    "threshold": b'"value": 0.5',
    "model/update": b'"value": "https://models.example.org/m.tflite"',
}


@pytest.mark.parametrize("name", [name for name in KINDS if name not in ("reload", "restart")])
def test_command_when_sound_then_is_carried_out_and_answered_with_its_id(name: str) -> None:
    desk = Desk()
    value = VALUES.get(name)
    payload = b'{"id": "7"' + (b", " + value if value else b"") + b"}"
    assert desk.say(name, payload) == CommandResult(command=name, id="7", ok=True, result={"done": name})
    assert [done for done, _ in desk.executed] == [name]


@pytest.mark.parametrize(
    ("name", "payload", "reason"),
    [
        ("mute", b"", "JSON"),
        ("mute", b"on", "JSON"),
        ("mute", b"null", "JSON"),
        ("mute", b'{"loud": true}', "unknown field"),
        ("mute", b'{"id": 7}', "JSON"),
        ("mute", b'{"id": "' + b"x" * 129 + b'"}', "length"),
        ("mute", b"\xff\xfe", "JSON"),
        ("mute", b"[" * 1000, "JSON"),
        ("mute", b" " * (MAX_BYTES + 1), "bytes"),
        ("sensitivity", b"{}", "value"),
        ("sensitivity", b'{"value": 6.1}', "<= 6"),
        ("sensitivity", b'{"value": NaN}', "JSON"),
        ("sensitivity", b'{"value": "3"}', "float"),
        ("threshold", b'{"value": -0.1}', ">= 0"),
        ("threshold", b'{"value": 1e999}', "JSON"),
        ("explode", b"{}", "no such command; choose one of mute, "),
        ("model", b"{}", "no such command"),
    ],
)
def test_command_when_it_makes_no_sense_then_is_refused_with_a_reason(
    name: str, payload: bytes, reason: str
) -> None:
    desk = Desk()
    answer = desk.say(name, payload)
    assert answer is not None
    assert not answer.ok
    assert reason in (answer.reason or "")
    assert desk.executed == []


def test_command_when_refused_for_its_value_then_the_answer_has_its_id_all_the_same() -> None:
    answer = Desk().say("threshold", b'{"id": "a", "value": 2}')
    assert answer is not None
    assert (answer.id, answer.ok) == ("a", False)


def test_command_when_retained_then_is_refused() -> None:
    desk = Desk()
    answer = desk.say("mute", b"{}", retained=True)
    assert answer is not None
    assert "retained" in (answer.reason or "")
    assert desk.executed == []


def test_command_when_too_frequent_then_is_refused_until_time_has_passed() -> None:
    desk = Desk()
    answers = [desk.say("mute", b"{}") for _ in range(200)]
    assert [answer.ok for answer in answers[:10] if answer] == [True] * 10
    refusals = [answer for answer in answers[10:] if answer]
    assert all("too many" in (answer.reason or "") for answer in refusals)
    # What would answer every message of a flood would be a second flood.
    assert len(refusals) == 20
    desk.now += 1.0
    answer = desk.say("mute", b"{}")
    assert answer is not None
    assert answer.ok
    assert len(desk.executed) == 11


def test_command_when_it_cannot_be_carried_out_then_the_answer_says_why() -> None:
    answer = Desk().say("reload", b'{"id": "r"}')
    assert answer == CommandResult(command="reload", id="r", ok=False, reason="affectd.toml: is not TOML")


def test_command_when_it_fails_unforeseen_then_is_answered_and_the_thread_lives(
    caplog: pytest.LogCaptureFixture,
) -> None:
    answer = Desk().say("restart", b"{}")
    assert answer is not None
    assert "log of the device" in (answer.reason or "")
    assert "a fault of ours" in caplog.text


almost = st.fixed_dictionaries(
    {},
    optional={
        "id": st.text(max_size=140) | st.integers() | st.none(),
        "value": st.floats() | st.integers() | st.text() | st.lists(st.none(), max_size=3),
        "x": st.none(),
    },
).map(msgspec.json.encode)
payloads = st.binary(max_size=2000) | almost | st.builds(lambda a, n: a[:n], almost, st.integers(0, 60))
names = st.sampled_from(sorted(KINDS)) | st.text(max_size=80)


def check_any(name: str, payload: bytes, retained: bool) -> None:
    """Whatever comes, nothing is raised, and only what is sound is carried out."""
    desk = Desk()
    answer = desk.say(name, payload, retained)
    if answer is None:
        assert len(name) > 64
    elif name not in ("reload", "restart"):
        assert answer.ok == bool(desk.executed)
    for done, command in desk.executed:
        assert not retained
        assert (done, type(command)) == (name, KINDS[name])
        assert len(payload) <= MAX_BYTES
        assert msgspec.json.decode(payload, type=KINDS[name]) == command


@settings(max_examples=500, deadline=None)
@given(names, payloads, st.booleans())
def test_command_when_it_is_anything_at_all_then_only_sound_ones_are_carried_out(
    name: str, payload: bytes, retained: bool
) -> None:
    check_any(name, payload, retained)


@pytest.mark.endurance
@pytest.mark.timeout(1200)
@settings(max_examples=100_000, deadline=None)
@given(names, payloads, st.booleans())
def test_command_when_it_is_anything_a_hundred_thousand_times_then_only_sound_ones_are_carried_out(
    name: str, payload: bytes, retained: bool
) -> None:
    check_any(name, payload, retained)


def test_commands_when_sent_through_a_broker_then_are_answered_there(broker: Broker, device: str) -> None:
    settings = settings_of(broker, device)
    root = settings.topics.command
    publisher = Publisher(settings)
    desk = CommandDesk(settings.topics, lambda name, _: {"done": name}, publisher.answer)
    publisher.listen(desk.patterns, desk.receive)
    with Subscriber(broker.port, f"affectd/{device}/#") as live, publisher:
        live.wait_for(settings.topics.availability, b"online")
        for name in ("mute", "model/info", "fly"):
            live.say(f"{root}/{name}", f'{{"id": "{name}"}}')
            answer = msgspec.json.decode(live.wait_for(f"{root}/{name}/result").payload, type=CommandResult)
            assert (answer.id, answer.ok) == (name, name != "fly")
