"""Noise and music to put beside voices in training: made, seeded, and heard through the front end."""

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
"""Those of `training.noises` that go on and on"""

_PIECES, _PIECE_S = 12, 10.0
"""Two minutes in all, of each kind as much"""

_LEVEL = 0.1
"""Of each piece: its effective value, with full scale as 1"""

_APART_OCTAVES = 0.5
"""Standard deviation of what is added to the pitch: a voice lies above or below the mean voice"""


class Background:
    """Excerpts of what goes on beside a voice, as frames relative to that voice show it."""

    def __init__(self, config: MfccConfig, speech: Frames, kinds: Sequence[str]) -> None:
        """Hear it.

        Args:
            config: the front end, whose DCT can be undone.
            speech: mean of frames of speech, (n_features,): what voices are taken relative to.
            kinds: of `training.noises`.
        """
        frames = _heard(config, tuple(kinds))
        undo = dct_matrix(config).T
        self._log_power = (frames[:, : config.n_mfcc] - speech[: config.n_mfcc]) @ undo
        self._pitch = np.zeros((len(frames), 2))
        if config.pitch:
            self._pitch = frames[:, config.n_mfcc :] - np.array([speech[config.n_mfcc], 0.0])

    def excerpt(self, n_frames: int, rng: np.random.Generator) -> Sound:
        """So many frames from anywhere in it; of any loudness."""
        at = (int(rng.integers(len(self._log_power))) + np.arange(n_frames)) % len(self._log_power)
        apart = np.array([rng.normal(0.0, _APART_OCTAVES), 0.0])
        return Sound(np.exp(self._log_power[at]), self._pitch[at] + apart)


@lru_cache(maxsize=4)
def _heard(config: MfccConfig, kinds: tuple[str, ...]) -> Frames:
    """Frames of pieces one after another, (n, n_features); the kinds take turns, all equally loud."""
    rng = np.random.default_rng(0)
    pieces = [KINDS[kinds[i % len(kinds)]](_PIECE_S, rng) for i in range(_PIECES)]
    loud = [_LEVEL * piece / np.sqrt(np.mean(np.square(piece))) for piece in pieces]
    return np.concatenate([mfcc(piece, config) for piece in loud]).astype(np.float32)
