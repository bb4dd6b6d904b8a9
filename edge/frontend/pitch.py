"""Pitch and voicing of a voice, frame by frame: mel filters are too wide to resolve the pitch.

The method is that of Boersma, "Accurate short-term analysis of the fundamental frequency and the
harmonics-to-noise ratio of a sampled sound", 1993: the autocorrelation of a windowed stretch of sound,
divided by that of the window, has a peak at the period of a voice, and the height of the peak says how
periodic the sound is. Only the spectrum below 900 Hz is used: it holds the strongest harmonics, and a short
inverse transform gives its autocorrelation.

Whispered speech and silence have no pitch. There the contour keeps its last value, as is usual where every
frame needs a number, and the voicing says how much to rely on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.frontend.mfcc_settings import N_PITCH, MfccSettings

Frames = NDArray[np.float64]

MIDDLE_HZ = 185.0
"""Between men's and women's voices; the value of the contour before the first voiced frame"""

LOWEST_HZ, HIGHEST_HZ = 65.0, 600.0
"""Range of pitch that is searched"""

_WINDOW_S = 0.048
"""Three periods of the lowest pitch, as Boersma requires"""

_BAND_HZ = (45.0, 900.0)
_SILENCE = 1e-9
"""Mean power in the band, relative to full scale, below which hardly anything is voiced; see `_background`"""

FAINT = 0.02
"""The same relative to the loudest recent frame: what hums in the pauses of a voice is not that voice"""

_LATE_S = 3.0
"""Time constant, in seconds, with which the energy of the loudest recent frame decays"""

_OCTAVE_COST = 0.03
"""Share of a peak's height that each octave down costs, so that a period wins over its double"""

VOICED = (0.4, 0.8)
"""Voicing from which a pitch begins to count, and voicing from which it is certain"""

FASTEST = 0.6
"""Share of the way to a certain pitch that the contour moves in one frame"""

FIRST_CERTAIN = 0.5
"""Certainty, 0 to 1 between the two values of `VOICED`, at which the contour begins"""

LEAP_OCTAVES = 0.6
LEAP_SHARE = 0.3
"""A step larger than `LEAP_OCTAVES` is usually an error: the contour moves this share of the usual way"""

_AT_ONCE = 32
"""Frames processed at once: all frames and spectra of a long recording would fill the memory"""


@dataclass(frozen=True, slots=True)
class PitchTables:
    """The tables and constants for one configuration, made by `pitch_tables`."""

    length: int
    """Samples of a frame"""

    n_fft: int
    first_bin: int
    n_bins: int
    """The bins of the band begin with `first_bin` and end before this one"""

    n_inverse: int
    """Points of the inverse transform"""

    lag_rate: float
    """Lags per second"""

    window: Frames
    """Shape (length,)"""

    lags: NDArray[np.int64]
    """Consecutive lags, from just below the shortest period to just above the longest, shape (n,)"""

    expected: Frames
    """The window's autocorrelation at each lag, divided by its value at lag 0, (n,)"""

    preference: Frames
    """Weight of a peak's height at each lag, (n,)"""

    fading: float
    """Factor by which the energy of the loudest recent frame decays in one hop"""

    silence: float
    """Added to the energy of each frame"""


def pitch_tables(config: MfccSettings) -> PitchTables:
    """The tables of a configuration, in float64."""
    rate = config.sample_rate
    length = round(_WINDOW_S * rate)
    n_fft = 1 << int(np.ceil(np.log2(length + rate / LOWEST_HZ)))
    hertz = np.arange(n_fft // 2 + 1) * (rate / n_fft)
    n_bins = int(np.searchsorted(hertz, _BAND_HZ[1]))
    # At least four points per half-wave of the highest frequency: a parabola finds a peak between them.
    n_inverse = 1 << int(np.ceil(np.log2(8 * n_bins)))
    lag_rate = rate * n_inverse / n_fft
    lags = np.arange(int(lag_rate / HIGHEST_HZ), int(np.ceil(lag_rate / LOWEST_HZ)) + 2)
    window = np.hanning(length + 2)[1:-1]
    correlation = np.fft.irfft(np.abs(np.fft.rfft(window, 2 * n_fft)) ** 2)
    at = lags * (n_fft / n_inverse)
    return PitchTables(
        length=length,
        n_fft=n_fft,
        first_bin=int(np.searchsorted(hertz, _BAND_HZ[0])),
        n_bins=n_bins,
        n_inverse=n_inverse,
        lag_rate=lag_rate,
        window=window,
        lags=lags,
        expected=np.interp(at, np.arange(len(correlation)), correlation) / correlation[0],
        preference=1.0 - _OCTAVE_COST * np.log2(lags / lags[0]),
        fading=float(np.exp(-config.hop_length / rate / _LATE_S)),
        silence=_SILENCE * length,
    )


class StreamingPitch:
    """Pitch and voicing of a signal that comes in blocks; frame i ends with frame i of the MFCCs.

    A frame covers the 48 ms before its end, with silence before the signal. The values do not depend on how
    the signal is cut into blocks.
    """

    def __init__(self, config: MfccSettings) -> None:
        self._tables = pitch_tables(config)
        self._hop = config.hop_length
        self._first_end = config.frame_length - config.lead
        self.reset()

    def reset(self) -> None:
        """Forget everything heard."""
        self._samples = np.zeros(max(0, self._tables.length - self._first_end))
        self._skip = max(0, self._first_end - self._tables.length)
        self._octaves: float | None = None
        self._loudest = 0.0

    def push(self, block: NDArray[Any]) -> Frames:
        """Take the next checked samples, and return the frames that they complete, shape (m, N_PITCH).

        A frame holds the pitch in octaves above `MIDDLE_HZ`, and the voicing, 0 to 1.
        """
        size = _AT_ONCE * self._hop
        parts = [self._push(block[start : start + size]) for start in range(0, len(block), size)]
        return np.concatenate(parts) if parts else np.empty((0, N_PITCH))

    def _push(self, block: NDArray[Any]) -> Frames:
        scale = 1.0 / 32_768.0 if block.dtype.kind == "i" else 1.0
        self._samples = np.concatenate([self._samples, block.astype(np.float64) * scale])
        skipped = min(self._skip, len(self._samples))
        self._samples, self._skip = self._samples[skipped:], self._skip - skipped
        length = self._tables.length
        n = 1 + (len(self._samples) - length) // self._hop
        if n <= 0:
            return np.empty((0, N_PITCH))
        frames = np.lib.stride_tricks.sliding_window_view(self._samples, length)[:: self._hop][:n]
        octaves, voicing = self._candidates(frames)
        self._samples = self._samples[n * self._hop :].copy()
        return np.stack([self._contour(octaves, voicing), voicing], axis=1)

    def _candidates(self, frames: Frames) -> tuple[Frames, Frames]:
        """The most likely pitch of each frame in octaves, and its voicing, 0 to 1; (n,) each."""
        tables = self._tables
        power, energy = self._autocorrelation(frames)
        heights = power / (energy + self._background(energy))[:, None] / tables.expected
        inner = heights[:, 1:-1]
        peaks = (inner >= heights[:, :-2]) & (inner > heights[:, 2:])
        best = 1 + np.where(peaks, inner * tables.preference[1:-1], -1.0).argmax(axis=1)
        rows = np.arange(len(frames))
        before, at, behind = (heights[rows, best + step] for step in (-1, 0, 1))
        bend = before - 2.0 * at + behind
        voiced = peaks[rows, best - 1] & (at > 0.0)
        # A peak is higher than one neighbour and at least as high as the other: the parabola opens downwards.
        shift = np.where(voiced, 0.5 * (before - behind) / np.where(voiced, bend, 1.0), 0.0)
        octaves = np.log2(tables.lag_rate / (tables.lags[best] + shift) / MIDDLE_HZ)
        return np.where(voiced, octaves, 0.0), np.where(voiced, np.minimum(at, 1.0), 0.0)

    def _autocorrelation(self, frames: Frames) -> tuple[Frames, Frames]:
        """The autocorrelation of each frame's band, (n, lags), and its value at lag 0, (n,)."""
        tables = self._tables
        spectrum = np.fft.rfft(frames * tables.window, tables.n_fft)[:, : tables.n_bins]
        power = spectrum.real**2 + spectrum.imag**2
        power[:, : tables.first_bin] = 0.0
        product = np.fft.irfft(power, tables.n_inverse) * (tables.n_inverse / tables.n_fft)
        return product[:, tables.lags], product[:, 0]

    def _background(self, energy: Frames) -> Frames:
        """What is added to the energy of each frame, (n,), so that faint sound is not voiced."""
        loudest = np.empty(len(energy))
        late = self._loudest
        for i, value in enumerate(energy.tolist()):
            late = loudest[i] = max(late * self._tables.fading, value)
        self._loudest = late
        return FAINT * loudest + self._tables.silence

    def _contour(self, octaves: Frames, voicing: Frames) -> Frames:
        """The pitch of each frame that has one, and the last pitch for the others, (n,)."""
        contour = np.zeros(len(octaves))
        certain = np.clip((voicing - VOICED[0]) / (VOICED[1] - VOICED[0]), 0.0, 1.0)
        held = self._octaves
        for i, (pitch, share) in enumerate(zip(octaves.tolist(), certain.tolist(), strict=True)):
            if held is None and share >= FIRST_CERTAIN:
                held = pitch
            if held is not None:
                step = pitch - held
                held += FASTEST * share * step * (LEAP_SHARE if abs(step) > LEAP_OCTAVES else 1.0)
                contour[i] = held
        self._octaves = held
        return contour
