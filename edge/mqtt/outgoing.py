"""What the device has yet to publish, and in which order."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass

from edge.mqtt.outbox import Outbox

_MAX_ANSWERS = 64
"""Answers that may be queued; beyond that, the oldest is dropped, as its sender no longer waits for it"""

_HOLD_S = 60.0
"""Seconds until a refused turn is sent again: the broker's access control list may have been corrected"""


@dataclass(frozen=True, slots=True)
class Message:
    """A message to publish."""

    topic: str
    payload: bytes
    retain: bool
    qos: int = 1
    turn: int | None = None
    """Key of the turn in the outbox"""


class Outgoing:
    """Retained values, latest only, then answers, then turns. Used under the publisher's lock."""

    def __init__(self, outbox: Outbox, turn_topic: str) -> None:
        self._outbox = outbox
        self._turn_topic = turn_topic
        self._latest: dict[str, Message] = {}
        self._due: dict[str, None] = {}
        self._answers: deque[Message] = deque(maxlen=_MAX_ANSWERS)
        self._hold_until = 0.0

    @property
    def is_empty(self) -> bool:
        """Whether everything that can be sent has been sent."""
        return not (self._due or self._answers or (len(self._outbox) and not self._holds))

    @property
    def _holds(self) -> bool:
        return time.monotonic() < self._hold_until

    def hold_turns(self) -> None:
        """Send no turns for a while, because the broker refuses them. Everything else continues."""
        self._hold_until = time.monotonic() + _HOLD_S

    def set_latest(self, message: Message) -> None:
        """Make this the value of its topic, in place of one that has not been sent yet."""
        self._latest[message.topic] = message
        self._due[message.topic] = None

    def add_answer(self, message: Message) -> None:
        """Add a message that is sent once."""
        self._answers.append(message)

    def repeat_latest(self) -> None:
        """Send every value again, in the order in which they were first set: the broker may have lost them.

        Turns are sent again as well: the broker may by now accept those that it refused.
        """
        self._due = dict.fromkeys(self._latest)
        self._hold_until = 0.0

    def take_next(self) -> Message | None:
        """The next message to send. A turn stays in the outbox until it is removed there."""
        if self._due:
            topic = next(iter(self._due))
            del self._due[topic]
            return self._latest[topic]
        if self._answers:
            return self._answers.popleft()
        head = None if self._holds else self._outbox.head()
        return None if head is None else Message(self._turn_topic, head[1], retain=False, turn=head[0])
