"""Noise and music to mix with voices in training: synthetic, seeded, and passed through the front end."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from edge.frontend.mfcc import mfcc
from edge.frontend.mfcc_config import MfccConfig
from edge.frontend.tables import dct_matrix
from training.found_pitch import Sound
from training.noises import KINDS

Frames = NDArray[np.float32]

NOISE = ("coloured", "machine", "traffic")
"""The continuous kinds of `training.noises`"""

_PIECES, _PIECE_S = 12, 10.0
"""Two minutes in all, shared equally between the kinds"""

_LEVEL = 0.1
"""RMS of each piece, where full scale is 1"""

_APART_OCTAVES = 0.5
"""Standard deviation of a shift of the pitch: the voice that it is relative to may be high or low"""


class Background:
    """Excerpts of background sounds, as frames relative to the voice in the foreground."""

    def __init__(self, config: MfccConfig, speech: Frames, kinds: Sequence[str]) -> None:
        """Compute the frames of the background.

        Args:
            config: the front end, whose DCT must be invertible.
            speech: mean of frames of speech, (n_features,), to which the frames are relative.
            kinds: of `training.noises`.
        """
        frames = _heard(config, tuple(kinds))
        undo = dct_matrix(config).T
        self._log_power = (frames[:, : config.n_mfcc] - speech[: config.n_mfcc]) @ undo
        self._pitch = np.zeros((len(frames), 2))
        if config.pitch:
            self._pitch = frames[:, config.n_mfcc :] - np.array([speech[config.n_mfcc], 0.0])

    def excerpt(self, n_frames: int, rng: np.random.Generator) -> Sound:
        """`n_frames` frames from a random place; their level is arbitrary."""
        at = (int(rng.integers(len(self._log_power))) + np.arange(n_frames)) % len(self._log_power)
        apart = np.array([rng.normal(0.0, _APART_OCTAVES), 0.0])
        return Sound(np.exp(self._log_power[at]), self._pitch[at] + apart)


@lru_cache(maxsize=4)
def _heard(config: MfccConfig, kinds: tuple[str, ...]) -> Frames:
    """Frames of pieces one after another, (n, n_features); the kinds alternate, all at the same level."""
    rng = np.random.default_rng(0)
    pieces = [KINDS[kinds[i % len(kinds)]](_PIECE_S, rng) for i in range(_PIECES)]
    loud = [_LEVEL * piece / np.sqrt(np.mean(np.square(piece))) for piece in pieces]
    return np.concatenate([mfcc(piece, config) for piece in loud]).astype(np.float32)
