"""Which pitch the tracker finds when several sounds overlap: that of the most periodic one.

The autocorrelation of a mix of uncorrelated sounds is the sum of their autocorrelations. Each sound therefore
shows its own peak, scaled by its share of the power in the bands that `edge.frontend.pitch` uses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.frontend.pitch import FASTEST, LEAP_OCTAVES, LEAP_SHARE, VOICED

Batch = NDArray[np.float32]
Values = NDArray[np.floating]

_USUAL_VOICING = 0.55
"""Mean voicing of a turn of speech, to which the voicing of training frames is relative"""

_VOICED_SHARE = 0.35
"""Share of the mel filters, from the lowest on: those below 900 Hz, in which the pitch is found"""

_HIDDEN, _CLEAR = 0.4, 0.8
"""Share of the voice in the total power below which its pitch is not found, and above which it always is"""


class Sound(NamedTuple):
    """One of several sounds that overlap."""

    power: Values
    """Mel energies, shape (n_frames, n_mels)"""

    pitch: Values
    """Octaves, relative to the same point as the voice's, and voicing, 0 to 1; shape (n_frames, 2)"""


class Found(NamedTuple):
    """What the tracker finds in a window; each of shape (n_frames,)."""

    octaves: Values
    voicing: Values
    follow: Values
    """Share of the distance to these octaves that the contour moves in one frame"""


def absolute(relative: Values) -> Values:
    """The same octaves, and voicing from 0 to 1, from columns (n_frames, 2) relative to the voice's own."""
    voicing = np.clip(relative[:, 1] + _USUAL_VOICING, 0.0, 1.0)
    return np.stack([relative[:, 0], voicing], axis=1)


def low(power: Values) -> Values:
    """The mel energies (n_frames, n_mels) below 900 Hz, which hold a voice's pitch and most of its power."""
    return power[:, : max(1, round(power.shape[1] * _VOICED_SHARE))]


def found(sounds: Sequence[Sound], power: Values) -> Found:
    """What the tracker finds in a window in which the first sound is the voice.

    Args:
        sounds: the voice, then the other sounds.
        power: of all sounds together, shape (n_frames, n_mels).
    """
    shares = np.stack([low(sound.power).sum(axis=1) for sound in sounds]) / low(power).sum(axis=1)
    pitches = np.stack([sound.pitch for sound in sounds])
    heights = shares * pitches[..., 1]
    best, at = heights.argmax(axis=0), np.arange(len(power))
    highest = heights[best, at]
    certain = FASTEST * np.clip((highest - VOICED[0]) / (VOICED[1] - VOICED[0]), 0.0, 1.0)
    # The voice's own contour already moves no faster than that, and stays still where it is unvoiced.
    clear = np.clip((shares[0] - _HIDDEN) / (_CLEAR - _HIDDEN), 0.0, 1.0)
    return Found(pitches[best, at, 0], highest, np.where(best == 0, clear, certain))


class Contours:
    """The pitch columns of a batch while sounds are added to it."""

    def __init__(self, pitch: Batch) -> None:
        """`follow` changes `pitch`, shape (n, n_frames, 2), relative to the voice's own, in place."""
        self._pitch = pitch
        self._windows: list[int] = []
        self._inside: list[NDArray[np.bool_]] = []
        self._found: list[Found] = []

    def hear(self, window: int, inside: NDArray[np.bool_], heard: Found) -> None:
        """Note what was found in a window; `inside` (n_frames,) marks its frames of sound, the first ones."""
        self._windows.append(window)
        self._inside.append(inside)
        self._found.append(heard)

    def follow(self) -> None:
        """Let the contours follow what was found; each window keeps its means."""
        if not self._windows:
            return
        aim = self._pitch[self._windows].astype(np.float64)
        share = np.ones(aim.shape[:2])
        for row, (inside, heard) in enumerate(zip(self._inside, self._found, strict=True)):
            aim[row, inside, 0], aim[row, inside, 1] = heard.octaves, heard.voicing
            share[row, inside] = heard.follow
        octaves = aim[..., 0]
        for t in range(1, octaves.shape[1]):
            leap = octaves[:, t] - octaves[:, t - 1]
            goes = share[:, t] * np.where(np.abs(leap) > LEAP_OCTAVES, LEAP_SHARE, 1.0)
            octaves[:, t] = octaves[:, t - 1] + goes * leap
        for row, (window, inside) in enumerate(zip(self._windows, self._inside, strict=True)):
            before = self._pitch[window, inside].mean(axis=0)
            self._pitch[window, inside] = aim[row, inside] - aim[row, inside].mean(axis=0) + before
