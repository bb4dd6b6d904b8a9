"""Limits how often something may happen: a token bucket."""

from __future__ import annotations

from collections.abc import Callable


class RateLimit:
    """Allows `burst` events at once, and `per_second` in the long run.

    Args:
        per_second: events per second.
        burst: events that may come together after a quiet time.
        clock: seconds, from any starting point.
    """

    def __init__(self, per_second: float, burst: int, clock: Callable[[], float]) -> None:
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        self._left = float(burst)
        self._at = clock()

    def allows(self) -> bool:
        """Whether one more event may happen now; if so, it is counted."""
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
