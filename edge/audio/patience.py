"""Keeps track of how long to wait before the next attempt to open a source, and how long it has been gone."""

from __future__ import annotations

import time

LONGEST_S = 30.0
"""Longest wait between two attempts, by default"""

_STEADY_S = 5.0
"""Seconds of sound after which a source counts as working again; less may come from a loose plug"""


class Patience:
    """Waits that double from attempt to attempt, until there has been steady sound.

    Args:
        first_s: the first wait.
        limit_s: how long a source may be gone; no wait extends beyond that.
        longest_s: the longest wait.
    """

    def __init__(self, first_s: float, limit_s: float, longest_s: float = LONGEST_S) -> None:
        self._first_s = first_s
        self._limit_s = limit_s
        self._longest_s = longest_s
        self.restart()

    def restart(self) -> None:
        """Start over with the first wait."""
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
        """Note that the source has given this much sound."""
        if self._lost_at is None and self._next_s == self._first_s:
            return
        self._lost_at = None
        self._sound_s += seconds
        if self._sound_s >= _STEADY_S:
            self.restart()

    def lost(self) -> float:
        """Note that the source is gone; returns for how many seconds it has been."""
        self._sound_s = 0.0
        if self._lost_at is None:
            self._lost_at = time.monotonic()
        return time.monotonic() - self._lost_at

    def tried(self) -> None:
        """Note an attempt: the next wait is longer."""
        self._next_s = min(2.0 * self._next_s, self._longest_s)
