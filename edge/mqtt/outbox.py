"""Turns that wait for the broker, oldest first."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple, Protocol

from edge.mqtt.outbox_settings import OutboxSettings


class QueuedTurn(NamedTuple):
    """A turn in an outbox."""

    key: int
    """Its place in the order; higher keys are newer"""

    at: float
    """Seconds; when it was put in, by the outbox's clock"""

    payload: bytes


class Outbox(Protocol):
    """A bounded queue of encoded turns, used under the publisher's lock."""

    @property
    def dropped(self) -> int:
        """Turns dropped because they were too many or too old, since it was made."""

    @property
    def alive(self) -> bool:
        """Whether it does its work; when False, turns may never leave it."""

    def start(self, on_ready: Callable[[], None]) -> None:
        """Begin to work; `on_ready` is called, without any lock held, when `head` may have changed."""

    def put(self, payload: bytes) -> None:
        """Add a turn; when full, the oldest makes room."""

    def settle(self) -> None:
        """Wait until what was put is as safe as the settings ask; not to be called with a lock held."""

    def head(self) -> tuple[int, bytes] | None:
        """Key and payload of the oldest turn, which stays; None when there is none to be offered yet."""

    def remove(self, key: int) -> None:
        """Forget a turn that the broker has, and all before it; a key that is gone already is no error."""

    def close(self) -> None:
        """Bring what waits to where it belongs, and let go of everything."""

    def __len__(self) -> int:
        """Turns that the broker has not acknowledged."""


class MemoryOutbox:
    """An outbox that lives as long as the process.

    Args:
        settings: its bounds.
        clock: seconds, from any beginning; must not jump when the time of day is set.
    """

    def __init__(self, settings: OutboxSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._turns: deque[QueuedTurn] = deque()
        self._next_key = 0
        self._bytes = 0
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """Turns dropped because they were too many or too old."""
        return self._dropped

    @property
    def alive(self) -> bool:
        """Always: there is nothing that could fail."""
        return True

    def start(self, on_ready: Callable[[], None]) -> None:
        """Do nothing: every turn may be offered at once."""

    def put(self, payload: bytes) -> None:
        """Add a turn; when full, the oldest makes room."""
        self._turns.append(QueuedTurn(self._next_key, self._clock(), payload))
        self._next_key += 1
        self._bytes += len(payload)
        self._drop()

    def settle(self) -> None:
        """Do nothing: it cannot be safer than it is."""

    def head(self) -> tuple[int, bytes] | None:
        """Key and payload of the oldest turn."""
        self._drop()
        return (self._turns[0].key, self._turns[0].payload) if self._turns else None

    def remove(self, key: int) -> None:
        """Forget a turn that the broker has, and all before it."""
        while self._turns and self._turns[0].key <= key:
            self._bytes -= len(self._turns.popleft().payload)

    def close(self) -> None:
        """Do nothing: there is nowhere to bring the turns."""

    def __len__(self) -> int:
        return len(self._turns)

    def _drop(self) -> None:
        limits, oldest = self._settings, self._clock() - self._settings.max_age_s
        while self._turns and (
            len(self._turns) > limits.max_turns
            or self._bytes > limits.max_bytes
            or self._turns[0].at < oldest
        ):
            self.remove(self._turns[0].key)
            self._dropped += 1
