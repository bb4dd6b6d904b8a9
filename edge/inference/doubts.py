"""Reasons not to name an emotion: low confidence, or sound too poor to rely on the model's confidence."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import numpy as np

from edge.frontend.speech_gate import Hop
from edge.inference.turns import TurnSettings

_QUIETEST_DB = -120.0


class Doubt(StrEnum):
    """One reason to answer `uncertain`."""

    CONFIDENCE = "confidence"
    """No label is probable enough"""

    SNR = "snr"
    """The speech is hardly louder than the noise"""

    CLIPPING = "clipping"
    """The speech is clipped: too many samples are at full scale"""

    SPEECH = "speech"
    """There is too little speech"""


def snr_db(speech: Sequence[Hop], floor_db: float) -> float:
    """Mean power of the speech hops above the noise floor, in decibels."""
    powers = [10.0 ** (hop.level_db / 10.0) for hop in speech]
    return float(10.0 * np.log10(np.mean(powers)) if powers else _QUIETEST_DB) - floor_db


def doubts(
    speech: Sequence[Hop], ratio_db: float, speech_s: float, settings: TurnSettings, hop_length: int
) -> tuple[Doubt, ...]:
    """Reasons not to name an emotion, judged from the sound alone.

    Args:
        speech: the speech hops of a turn.
        ratio_db: signal-to-noise ratio, as `snr_db` gives it.
        speech_s: seconds of speech.
        settings: the limits.
        hop_length: samples in a hop.
    """
    clipped = sum(hop.clipped for hop in speech)
    found = (
        (Doubt.SNR, ratio_db < settings.least_snr_db),
        (Doubt.CLIPPING, clipped > settings.most_clipped * hop_length * len(speech)),
        (Doubt.SPEECH, speech_s < settings.sure_speech_s),
    )
    return tuple(doubt for doubt, holds in found if holds)
