"""Music to put beside voices in training: made, seeded, and heard through the front end."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from edge.frontend.mfcc import mfcc
from edge.frontend.mfcc_config import MfccConfig
from edge.frontend.tables import dct_matrix
from training.found_pitch import Sound
from training.noises import KINDS, MUSIC

Frames = NDArray[np.float32]

_PIECES, _PIECE_S = 10, 10.0
"""Of each kind of music: five minutes in all"""

_LEVEL = 0.1
"""Of each piece: its effective value, with full scale as 1"""

_KEYS_OCTAVES = 0.5
"""Standard deviation of what is added to the music's pitch: a voice lies above or below the mean voice"""


class Music:
    """Excerpts of music, as frames relative to a voice would show them."""

    def __init__(self, config: MfccConfig, speech: Frames) -> None:
        """`speech` is the mean of frames of speech, (n_features,): what voices are taken relative to."""
        frames = _heard(config)
        undo = dct_matrix(config).T
        self._log_power = frames[:, : config.n_mfcc] @ undo - speech[: config.n_mfcc] @ undo
        self._pitch = np.zeros((len(frames), 2))
        if config.pitch:
            self._pitch = frames[:, config.n_mfcc :] - np.array([speech[config.n_mfcc], 0.0])

    def excerpt(self, n_frames: int, rng: np.random.Generator) -> Sound:
        """So many frames from anywhere, in another key; of any loudness."""
        at = (int(rng.integers(len(self._log_power))) + np.arange(n_frames)) % len(self._log_power)
        key = np.array([rng.normal(0.0, _KEYS_OCTAVES), 0.0])
        return Sound(np.exp(self._log_power[at]), self._pitch[at] + key)


@lru_cache(maxsize=2)
def _heard(config: MfccConfig) -> Frames:
    """Frames of pieces of every kind one after another, (n, n_features); each kind equally loud."""
    rng = np.random.default_rng(0)
    pieces = [KINDS[kind](_PIECE_S, rng) for _ in range(_PIECES) for kind in MUSIC]
    loud = [_LEVEL * piece / np.sqrt(np.mean(np.square(piece))) for piece in pieces]
    return np.concatenate([mfcc(piece, config) for piece in loud]).astype(np.float32)
