"""Which pitch is found where several sound at once: that of what is most periodic in what is heard.

The autocorrelation of sounds that have nothing to do with each other is the sum of theirs, so each shows a
peak as high as its own, less by its share of the power in the bands in which `edge.frontend.pitch` listens.
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
"""Mean over a turn of speech, from which the voicing of training frames is reckoned"""

_VOICED_SHARE = 0.35
"""Of the mel filters, from the lowest on: those below 900 Hz, by which a pitch is found"""

_HIDDEN, _CLEAR = 0.4, 0.8
"""Share of the voice in what is heard below which its pitch is not found, and from which it always is"""


class Sound(NamedTuple):
    """One of the sounds that are heard together."""

    power: Values
    """Mel energies, shape (n_frames, n_mels)"""

    pitch: Values
    """Octaves, as the voice's are counted, and voicing, 0 to 1; shape (n_frames, 2)"""


class Found(NamedTuple):
    """What is found in a window; each of shape (n_frames,)."""

    octaves: Values
    voicing: Values
    follow: Values
    """Share of the way to these octaves that the contour goes"""


def absolute(relative: Values) -> Values:
    """Octaves as they are and a voicing of 0 to 1, from columns (n_frames, 2) relative to the voice's own."""
    voicing = np.clip(relative[:, 1] + _USUAL_VOICING, 0.0, 1.0)
    return np.stack([relative[:, 0], voicing], axis=1)


def low(power: Values) -> Values:
    """Those of mel energies (n_frames, n_mels) that hold a voice's pitch, and most of its power."""
    return power[:, : max(1, round(power.shape[1] * _VOICED_SHARE))]


def found(sounds: Sequence[Sound], power: Values) -> Found:
    """What a tracker finds in a window in which the first sound is the voice.

    Args:
        sounds: the voice, and what is heard beside it.
        power: of all together, shape (n_frames, n_mels).
    """
    shares = np.stack([low(sound.power).sum(axis=1) for sound in sounds]) / low(power).sum(axis=1)
    pitches = np.stack([sound.pitch for sound in sounds])
    heights = shares * pitches[..., 1]
    best, at = heights.argmax(axis=0), np.arange(len(power))
    highest = heights[best, at]
    certain = FASTEST * np.clip((highest - VOICED[0]) / (VOICED[1] - VOICED[0]), 0.0, 1.0)
    # The voice's own contour goes no faster already, and stands still by itself where it is unvoiced.
    clear = np.clip((shares[0] - _HIDDEN) / (_CLEAR - _HIDDEN), 0.0, 1.0)
    return Found(pitches[best, at, 0], highest, np.where(best == 0, clear, certain))


class Contours:
    """The pitch columns of a batch while sounds are added to it."""

    def __init__(self, pitch: Batch) -> None:
        """`pitch`, shape (n, n_frames, 2), relative to the voice's own, is changed by `follow`."""
        self._pitch = pitch
        self._windows: list[int] = []
        self._inside: list[NDArray[np.bool_]] = []
        self._found: list[Found] = []

    def hear(self, window: int, inside: NDArray[np.bool_], heard: Found) -> None:
        """Take what was found in the frames of a window that are sound, the first ones, (n_frames,)."""
        self._windows.append(window)
        self._inside.append(inside)
        self._found.append(heard)

    def follow(self) -> None:
        """Let the contours go after what was found, and each window keep its means."""
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
