"""What is far quieter than the words just before it is echo, breath or other people: not the turn.

A voice pauses for breath. Where voices go on and on, several people talk at once, and the loudest of them is
the one who speaks to the device: the longer there was no pause, the nearer to its level must be what counts.
"""

from __future__ import annotations

import math

_RANGE_DB = 20.0
"""Syllables of one turn are hardly further apart"""

_RANGE_AMONG_VOICES_DB = 12.0
"""Other people's talk is that much quieter, or it cannot be told from the turn"""

_FALL_DB_PER_S = 5.0
"""By so much the loudest word counts less: who goes on more softly is heard"""

_FALL_AMONG_VOICES_DB_PER_S = 0.5
"""Likewise among voices, whose talk would else soon be as loud as what is remembered"""

_FORGET_S = 0.5
"""After such a pause another may speak, as softly as he likes"""

_BREATH_S = 0.3
"""A pause that one voice makes now and then, and many together do not"""

_LONG_S = 4.0
"""Without one for so long, there are perhaps several"""

_NARROWING_DB_PER_S = 3.0
"""How fast the range then goes from the one to the other"""


class Foreground:
    """Follows the loudest speech of late, hop by hop.

    Args:
        hop_s: seconds in a hop.
    """

    def __init__(self, hop_s: float) -> None:
        self._hop_s = hop_s
        self._forget_hops = round(_FORGET_S / hop_s)
        self._breath_hops = round(_BREATH_S / hop_s)
        self.reset()

    def reset(self) -> None:
        """Forget what was loud."""
        self._peak_db = -math.inf
        self._pause = 0
        self._silence = 0
        self._breathless = 0

    def step(self, is_voice: bool, level_db: float) -> bool:
        """Take whether a hop has a voice, and its level in dB; say whether it is in the foreground."""
        among_voices_s = self._among_voices_s(is_voice)
        fall_db_per_s = _FALL_AMONG_VOICES_DB_PER_S if among_voices_s else _FALL_DB_PER_S
        self._peak_db -= fall_db_per_s * self._hop_s
        if is_voice:
            self._peak_db = max(self._peak_db, level_db)
        range_db = max(_RANGE_AMONG_VOICES_DB, _RANGE_DB - _NARROWING_DB_PER_S * among_voices_s)
        is_foreground = is_voice and level_db > self._peak_db - range_db
        self._pause = 0 if is_foreground else self._pause + 1
        if self._pause > self._forget_hops and not among_voices_s:
            self._peak_db, self._pause = -math.inf, 0
        return is_foreground

    def _among_voices_s(self, is_voice: bool) -> float:
        """For how long there have perhaps been several voices."""
        self._silence = 0 if is_voice else self._silence + 1
        self._breathless = 0 if self._silence > self._breath_hops else self._breathless + 1
        return max(0.0, self._breathless * self._hop_s - _LONG_S)
