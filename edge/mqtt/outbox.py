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
    """Position in the queue; higher keys are newer"""

    at: float
    """Time at which it was added, in seconds of the outbox's clock"""

    payload: bytes


class Outbox(Protocol):
    """A bounded queue of encoded turns, used under the publisher's lock."""

    @property
    def dropped(self) -> int:
        """Turns dropped because they were too many or too old, since this outbox was opened."""

    @property
    def alive(self) -> bool:
        """Whether the outbox works; if False, turns may never leave it."""

    def start(self, on_ready: Callable[[], None]) -> None:
        """Start working; `on_ready` is called, with no lock held, when `head` may have changed."""

    def put(self, payload: bytes) -> None:
        """Add a turn; when full, drop the oldest."""

    def settle(self) -> None:
        """Wait until all turns are as safe as the settings demand; do not call this with a lock held."""

    def head(self) -> tuple[int, bytes] | None:
        """Key and payload of the oldest turn, which stays; None if there is none to send yet."""

    def remove(self, key: int) -> None:
        """Remove a turn that the broker has, and all before it; a key that is already gone is no error."""

    def close(self) -> None:
        """Store what is queued, and release all resources."""

    def __len__(self) -> int:
        """Turns that the broker has not acknowledged yet."""


class MemoryOutbox:
    """An outbox that is lost when the process ends.

    Args:
        settings: its bounds.
        clock: seconds, from any starting point; must not jump when the system time is set.
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
        """Always True: there is nothing that could fail."""
        return True

    def start(self, on_ready: Callable[[], None]) -> None:
        """Do nothing: every turn may be sent at once."""

    def put(self, payload: bytes) -> None:
        """Add a turn; when full, drop the oldest."""
        self._turns.append(QueuedTurn(self._next_key, self._clock(), payload))
        self._next_key += 1
        self._bytes += len(payload)
        self._drop()

    def settle(self) -> None:
        """Do nothing: memory cannot be made any safer."""

    def head(self) -> tuple[int, bytes] | None:
        """Key and payload of the oldest turn."""
        self._drop()
        return (self._turns[0].key, self._turns[0].payload) if self._turns else None

    def remove(self, key: int) -> None:
        """Remove a turn that the broker has, and all before it."""
        while self._turns and self._turns[0].key <= key:
            self._bytes -= len(self._turns.popleft().payload)

    def close(self) -> None:
        """Do nothing: there is nowhere to store the turns."""

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
