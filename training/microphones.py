"""Microphones to test speech through, as frequency responses: a telephone, a cheap electret, a laptop.

The curves are not measured. They have the typical features of such devices, and each colours the whole
spectrum in a different way. A microphone is a filter, so it adds a constant to every cepstrum, except where
it makes the sound so weak that only the floor of the logarithm, or rounding to 16 bits, remains.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from training.noise import SAMPLE_RATE, Signal

_TAPS = 1_023
_FULL_SCALE = 32_768.0

CURVES: dict[str, tuple[tuple[float, float], ...]] = {
    # Flat from 300 to 3400 Hz, and almost nothing outside.
    "telephone": ((100, -40), (200, -30), (300, 0), (3_400, 0), (4_000, -40)),
    # Little bass, and a resonance of the capsule in its small hole.
    "electret": ((60, -24), (120, -12), (300, -3), (1_000, 0), (3_500, 6), (5_000, 9), (6_500, 3),
                 (8_000, -9)),
    # A pinhole behind plastic: no bass, two humps, a notch from the reflection off the table, few highs.
    "laptop": ((80, -30), (200, -12), (450, 4), (900, -2), (1_500, 5), (2_300, -12), (3_000, 2), (5_000, -6),
               (8_000, -20)),
}  # fmt: skip
"""Hertz and decibels; linear between the points over the logarithm of the frequency, constant beyond them"""


def through(speech: Signal, microphone: str) -> Signal:
    """Speech (n,) at 16 kHz through a microphone of `CURVES`: at the same level, 16 bits, without delay."""
    from scipy.signal import fftconvolve  # noqa: PLC0415  # slow to import, and only tests of this need it

    coloured = fftconvolve(speech, _filter(microphone), mode="same")
    level = np.sqrt(np.mean(np.square(speech, dtype=np.float64)) / max(np.mean(coloured**2), 1e-20))
    coloured *= min(level, 1.0 / max(float(np.abs(coloured).max()), 1e-12))
    # Rounded as by an A/D converter: what is weaker than that is lost.
    return np.asarray(np.rint(coloured * _FULL_SCALE) / _FULL_SCALE, np.float32)


@cache
def _filter(microphone: str) -> NDArray[np.float64]:
    """A linear-phase filter of this response, by the window method, shape (_TAPS,)."""
    hertz, decibels = np.array(CURVES[microphone]).T
    grid = np.fft.rfftfreq(8 * _TAPS, 1 / SAMPLE_RATE)
    gain = 10 ** (np.interp(np.log(np.maximum(grid, 1.0)), np.log(hertz), decibels) / 20)
    response = np.roll(np.fft.irfft(gain), _TAPS // 2)[:_TAPS]
    return np.asarray(response * np.hanning(_TAPS))
