"""The level of a recording, and recordings that are scaled to the same level.

In some corpora the level alone tells emotions apart. A device cannot use it: it knows neither the distance of
the mouth nor the gain.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.baselines import egemaps

ONE_LEVEL_DB = -26.0
"""RMS in dB of full scale: the usual level of speech in telephony"""

_SILENCE_DB = -120.0


def extract(signal: NDArray[np.float32]) -> NDArray[np.float32]:
    """RMS of a recording, samples within -1 and 1, in dB of full scale, at least -120: shape (1,)."""
    power = np.mean(np.square(signal, dtype=np.float64)) if signal.size else 0.0
    return np.array([10.0 * np.log10(max(power, 10.0 ** (_SILENCE_DB / 10.0)))], np.float32)


def at_one_level(signal: NDArray[np.float32]) -> NDArray[np.float32]:
    """The recording scaled to an RMS of `ONE_LEVEL_DB`; silence is left as it is."""
    level = float(extract(signal)[0])
    if level <= _SILENCE_DB:
        return signal
    return np.asarray(signal * 10.0 ** ((ONE_LEVEL_DB - level) / 20.0), np.float32)


def egemaps_at_one_level(signal: NDArray[np.float32]) -> NDArray[np.float32]:
    """The 88 functionals of eGeMAPSv02 of `at_one_level`, shape (88,)."""
    return egemaps.extract(at_one_level(signal))
