"""Augmentation of the pitch columns: another voice's height, a pitch that noise hides, and none at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from training.augment import AugmentSettings

Batch = NDArray[np.float32]

_JITTER = 0.03
"""Standard deviation of what a tracker errs from frame to frame, in octaves and in voicing"""

_HIDDEN, _CLEAR = 0.4, 0.8
"""Share of the voice in what is heard below which its pitch is not found, and from which it always is"""


def vary_pitch(
    pitch: Batch, alone: Batch, mean: Batch, settings: AugmentSettings, rng: np.random.Generator
) -> None:
    """Change the pitch of some windows, in place.

    Args:
        pitch: octaves and voicing relative to the voice's own, shape (n, n_frames, 2).
        alone: share of the voice itself in the power of each moment, shape (n, n_frames).
        mean: of the columns over all training speech, (2,): what says nothing.
        settings: how much.
        rng: decides.
    """
    n = len(pitch)
    pitch[..., 0] = _held(pitch[..., 0], alone)
    # An autocorrelation's peak falls by what the noise adds to the power.
    pitch[..., 1] *= alone
    pitch += rng.normal(0.0, _JITTER, pitch.shape)
    pitch += rng.normal(0.0, 1.0, (n, 1, 2)) * (settings.pitch_octaves, settings.voicing)
    pitch[rng.uniform(size=n) < settings.unpitched_share] = mean


def _held(contours: Batch, alone: Batch) -> Batch:
    """Contours (n, n_frames) that stand still where the voice is hidden."""
    hidden = np.flatnonzero((alone < _CLEAR).any(axis=1))
    heard = contours[hidden]
    follow = np.clip((alone[hidden] - _HIDDEN) / (_CLEAR - _HIDDEN), 0.0, 1.0)
    for t in range(1, heard.shape[1]):
        heard[:, t] = heard[:, t - 1] + follow[:, t] * (heard[:, t] - heard[:, t - 1])
    held = contours.copy()
    held[hidden] = heard
    return held
