"""How long to wait before the next attempt to connect."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

SHORTEST_S = 1.0
LONGEST_S = 60.0
_STOOD_S = 10.0
"""Seconds after which a connection counts as good; one that breaks sooner must not reset the waits"""


class Backoff:
    """Waits of 1 to 60 s, growing and random, so that devices do not reconnect in step.

    Each wait is drawn between the shortest and three times the previous one ("decorrelated jitter": Brooker,
    Exponential Backoff and Jitter, AWS Architecture Blog, 2015), so that a thousand devices that lost a
    broker at the same moment do not come back at the same moment.

    Args:
        longest_s: upper limit of every wait.
        draw: draws a number between two bounds.
        clock: seconds, from any starting point.
    """

    def __init__(
        self,
        longest_s: float = LONGEST_S,
        draw: Callable[[float, float], float] = random.uniform,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.longest_s = longest_s
        self._draw = draw
        self._clock = clock
        self._last_s = SHORTEST_S
        self._welcomed_at: float | None = None

    def welcomed(self) -> None:
        """The broker has accepted the connection."""
        self._welcomed_at = self._clock()

    def next_s(self) -> float:
        """Seconds to wait after a failed attempt or a lost connection."""
        if self._welcomed_at is not None and self._clock() - self._welcomed_at >= _STOOD_S:
            self._last_s = SHORTEST_S
        self._welcomed_at = None
        self._last_s = min(self.longest_s, self._draw(SHORTEST_S, 3.0 * self._last_s))
        return self._last_s
