"""What the device has to say and has not said yet, and in which order it says it."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass

from edge.mqtt.outbox import Outbox

_MAX_ANSWERS = 64
"""Answers that may wait; whoever asked so long ago no longer listens"""

_HOLD_S = 60.0
"""Seconds until a turn that the broker has refused is offered again: its access control list may be mended"""


@dataclass(frozen=True, slots=True)
class Message:
    """Something to be published."""

    topic: str
    payload: bytes
    retain: bool
    qos: int = 1
    turn: int | None = None
    """Key of the turn in the outbox"""


class Outgoing:
    """Values of which only the last counts, then answers, then turns. Used under the publisher's lock."""

    def __init__(self, outbox: Outbox, turn_topic: str) -> None:
        self._outbox = outbox
        self._turn_topic = turn_topic
        self._latest: dict[str, Message] = {}
        self._due: dict[str, None] = {}
        self._answers: deque[Message] = deque(maxlen=_MAX_ANSWERS)
        self._hold_until = 0.0

    @property
    def is_empty(self) -> bool:
        """Whether everything has been said that can be."""
        return not (self._due or self._answers or (len(self._outbox) and not self._holds))

    @property
    def _holds(self) -> bool:
        return time.monotonic() < self._hold_until

    def hold_turns(self) -> None:
        """Offer no turns for a while: the broker does not take them. All else goes on."""
        self._hold_until = time.monotonic() + _HOLD_S

    def set_latest(self, message: Message) -> None:
        """Make this the value of its topic; one that has not been said yet is replaced."""
        self._latest[message.topic] = message
        self._due[message.topic] = None

    def add_answer(self, message: Message) -> None:
        """Add a message that is said once."""
        self._answers.append(message)

    def repeat_latest(self) -> None:
        """Say every value again, in the order of their first time: the broker may have forgotten them.

        It may also take turns by now that it has refused.
        """
        self._due = dict.fromkeys(self._latest)
        self._hold_until = 0.0

    def take_next(self) -> Message | None:
        """The next message to say. A turn stays in the outbox until it is removed there."""
        if self._due:
            topic = next(iter(self._due))
            del self._due[topic]
            return self._latest[topic]
        if self._answers:
            return self._answers.popleft()
        head = None if self._holds else self._outbox.head()
        return None if head is None else Message(self._turn_topic, head[1], retain=False, turn=head[0])
