"""What is far quieter than the words just before it is their echo, or breath, and no more of the turn."""

from __future__ import annotations

import math

_RANGE_DB = 20.0
"""Syllables of one turn are hardly further apart"""

_FALL_DB_PER_S = 5.0
"""By so much the loudest word counts less: who goes on more softly is heard"""

_FORGET_S = 0.5
"""After such a pause another may speak, as softly as he likes"""


class Foreground:
    """Follows the loudest speech of late, hop by hop.

    Args:
        hop_s: seconds in a hop.
    """

    def __init__(self, hop_s: float) -> None:
        self._fall_db = _FALL_DB_PER_S * hop_s
        self._forget_hops = round(_FORGET_S / hop_s)
        self.reset()

    def reset(self) -> None:
        """Forget what was loud."""
        self._peak_db = -math.inf
        self._pause = 0

    def step(self, is_voice: bool, level_db: float) -> bool:
        """Take whether a hop has a voice, and its level in dB; say whether it is in the foreground."""
        self._peak_db -= self._fall_db
        if is_voice:
            self._peak_db = max(self._peak_db, level_db)
        is_foreground = is_voice and level_db > self._peak_db - _RANGE_DB
        self._pause = 0 if is_foreground else self._pause + 1
        if self._pause > self._forget_hops:
            self.reset()
        return is_foreground
