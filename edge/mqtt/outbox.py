"""Turns that wait for the broker, oldest first."""

from __future__ import annotations

from collections import OrderedDict
from itertools import count
from typing import Protocol


class Outbox(Protocol):
    """A bounded queue of encoded turns. Used under the publisher's lock, so it need not have its own."""

    @property
    def dropped(self) -> int:
        """Turns dropped because the outbox was full, since it was made."""

    def put(self, payload: bytes) -> None:
        """Add a turn; when full, the oldest makes room."""

    def head(self) -> tuple[int, bytes] | None:
        """Key and payload of the oldest turn, which stays; None when empty."""

    def remove(self, key: int) -> None:
        """Forget a turn that the broker has; a key that is gone already is no error."""

    def __len__(self) -> int:
        """Turns that the broker has not acknowledged."""


class MemoryOutbox:
    """An outbox that lives as long as the process."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._turns: OrderedDict[int, bytes] = OrderedDict()
        self._keys = count()
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """Turns dropped because the outbox was full."""
        return self._dropped

    def put(self, payload: bytes) -> None:
        """Add a turn; when full, the oldest makes room."""
        if len(self._turns) >= self._capacity:
            self._turns.popitem(last=False)
            self._dropped += 1
        self._turns[next(self._keys)] = payload

    def head(self) -> tuple[int, bytes] | None:
        """Key and payload of the oldest turn."""
        return next(iter(self._turns.items()), None)

    def remove(self, key: int) -> None:
        """Forget a turn that the broker has."""
        self._turns.pop(key, None)

    def __len__(self) -> int:
        return len(self._turns)
