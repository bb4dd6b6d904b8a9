"""A subscriber that has nothing to do with this project: the program mosquitto_sub."""

from __future__ import annotations

import json
from dataclasses import dataclass

import msgspec
from paho.mqtt import publish

from edge.mqtt.messages import State, Turn

from .brokers import program
from .programs import Program

_MARK = "subscribed"


@dataclass(frozen=True)
class Heard:
    """One message."""

    kind: str
    """Last level of the topic"""

    payload: str
    retained: bool


class MosquittoSub(Program):
    """Listens to all that a device says."""

    def __init__(self, port: int, device: str) -> None:
        super().__init__(
            *("-h", "127.0.0.1", "-p", port, "-q", 1, "-t", f"affectd/{device}/#", "-F", "%j"),
            command=[program("mosquitto_sub")],
        )
        # It does not say when it is subscribed, and turns are not retained: a retained message proves it.
        publish.single(f"affectd/{device}/{_MARK}", "x", retain=True, hostname="127.0.0.1", port=port)
        self.wait_for(f"/{_MARK}")

    @property
    def messages(self) -> list[Heard]:
        """All that came, in the order of arrival."""
        return [message for line in list(self.lines) if (message := _parsed(line)).kind != _MARK]

    @property
    def turns(self) -> list[Turn]:
        """Each payload decoded, so one that breaks the contract is an error."""
        return [
            msgspec.json.decode(message.payload, type=Turn)
            for message in self.messages
            if message.kind == "turn"
        ]

    @property
    def states(self) -> list[State]:
        return [
            msgspec.json.decode(message.payload, type=State)
            for message in self.messages
            if message.kind == "state"
        ]

    def wait_online(self) -> None:
        self.wait_for_message("availability", "online")

    def wait_offline(self) -> None:
        self.wait_for_message("availability", "offline")

    def wait_for_message(self, kind: str, payload: str) -> None:
        self.wait_for(lambda line: (_parsed(line).kind, _parsed(line).payload) == (kind, payload))

    def wait_for_state(self, emotion: str) -> None:
        """Until the present is: nobody speaks, and the emotion is this one."""
        self.wait_for(
            lambda _line: (
                bool(self.states) and (self.states[-1].speaking, self.states[-1].emotion) == (False, emotion)
            )
        )

    def wait_for_turns(self, count: int) -> list[Turn]:
        self.wait_for(lambda _line: len(self.turns) >= count)
        return self.turns


def _parsed(line: str) -> Heard:
    message = json.loads(line)
    return Heard(message["topic"].rpartition("/")[2], message["payload"], bool(message["retain"]))
