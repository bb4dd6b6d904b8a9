"""How long to wait between attempts to open a source, and since when it has been away."""

from __future__ import annotations

import time

_LONGEST_S = 30.0
"""Longest wait between two attempts"""

_STEADY_S = 5.0
"""Sound that shows that a source works again; less may be the last twitch of a loose plug"""


class Patience:
    """Waits that double from attempt to attempt, until there was steady sound.

    Args:
        first_s: the first wait.
        limit_s: how long a source may be away; no wait goes beyond its end.
    """

    def __init__(self, first_s: float, limit_s: float) -> None:
        self._first_s = first_s
        self._limit_s = limit_s
        self.restart()

    def restart(self) -> None:
        """Begin anew."""
        self._next_s = self._first_s
        self._sound_s = 0.0
        self._lost_at: float | None = None

    @property
    def wait_s(self) -> float:
        """Seconds to wait before the next attempt."""
        if self._lost_at is None:
            return self._next_s
        left_s = self._limit_s - (time.monotonic() - self._lost_at)
        return max(0.0, min(self._next_s, left_s + 0.001))

    def heard(self, seconds: float) -> None:
        """There was so much sound."""
        if self._lost_at is None and self._next_s == self._first_s:
            return
        self._lost_at = None
        self._sound_s += seconds
        if self._sound_s >= _STEADY_S:
            self.restart()

    def lost(self) -> float:
        """The source is away; gives for how many seconds it has been."""
        self._sound_s = 0.0
        if self._lost_at is None:
            self._lost_at = time.monotonic()
        return time.monotonic() - self._lost_at

    def tried(self) -> None:
        """There was an attempt: the next wait is longer."""
        self._next_s = min(2.0 * self._next_s, _LONGEST_S)
