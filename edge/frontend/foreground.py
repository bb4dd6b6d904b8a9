"""Foreground speech: sound far quieter than the words just before is echo, breath or other people.

One voice pauses for breath. Where voices go on without a pause, several people are talking at once, and the
loudest of them is taken to speak to the device. The longer there is no pause, the closer to the level of the
loudest recent speech a hop must be to count.
"""

from __future__ import annotations

import math

_RANGE_DB = 20.0
"""Range below the loudest recent speech that counts: the syllables of one turn hardly vary more"""

_RANGE_AMONG_VOICES_DB = 12.0
"""The range among several voices: other people must be this much quieter to be told from the turn"""

_FALL_DB_PER_S = 5.0
"""Decay of the level of the loudest recent speech, so that a speaker who goes on more softly is heard"""

_FALL_AMONG_VOICES_DB_PER_S = 0.5
"""The decay among several voices, whose talk would otherwise soon be within the range again"""

_FORGET_S = 0.5
"""Pause after which the loudest speech is forgotten: another person may speak, however softly"""

_BREATH_S = 0.3
"""Length of a pause that one voice makes now and then, and many together do not"""

_LONG_S = 4.0
"""Time without such a pause after which there may be several voices"""

_NARROWING_DB_PER_S = 3.0
"""How fast the range then narrows from `_RANGE_DB` to `_RANGE_AMONG_VOICES_DB`"""


class Foreground:
    """Follows the level of the loudest recent speech, hop by hop.

    Args:
        hop_s: seconds in a hop.
    """

    def __init__(self, hop_s: float) -> None:
        self._hop_s = hop_s
        self._forget_hops = round(_FORGET_S / hop_s)
        self._breath_hops = round(_BREATH_S / hop_s)
        self.reset()

    def reset(self) -> None:
        """Forget the loudest speech and the pauses."""
        self._peak_db = -math.inf
        self._pause = 0
        self._silence = 0
        self._breathless = 0

    def step(self, is_voice: bool, level_db: float) -> bool:
        """Take whether the next hop has a voice, and its level in dB; return whether it is foreground."""
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
        """Seconds for which there may have been several voices; 0 for one voice."""
        self._silence = 0 if is_voice else self._silence + 1
        self._breathless = 0 if self._silence > self._breath_hops else self._breathless + 1
        return max(0.0, self._breathless * self._hop_s - _LONG_S)
