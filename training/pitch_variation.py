"""Augmentation of the pitch columns: a shift, a tracker's jitter, or no pitch at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from training.augment import AugmentSettings

Batch = NDArray[np.float32]

_JITTER = 0.03
"""Standard deviation of a tracker's error from frame to frame, in octaves and in voicing"""


def vary_pitch(pitch: Batch, mean: Batch, settings: AugmentSettings, rng: np.random.Generator) -> None:
    """Change the pitch of some windows, in place.

    Args:
        pitch: octaves and voicing relative to the voice's own, shape (n, n_frames, 2).
        mean: of the columns over all training speech, (2,): stands for no information.
        settings: how strongly, and how many windows.
        rng: draws windows and changes.
    """
    n = len(pitch)
    pitch += rng.normal(0.0, _JITTER, pitch.shape)
    pitch += rng.normal(0.0, 1.0, (n, 1, 2)) * (settings.pitch_octaves, settings.voicing)
    pitch[rng.uniform(size=n) < settings.unpitched_share] = mean
