"""Samples on their way to frames: checked, pre-emphasised, and queued until no frame needs them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.frontend.mfcc_config import MfccConfig

Samples = NDArray[np.float64]

_LIMIT = 2.0**32
"""Magnitudes from this one on are not sound in any usual scaling, and their squares would not stay exact."""


class SignalError(ValueError):
    """Raised when samples are not valid sound: wrong type or shape, NaN, infinite."""


def check_samples(block: NDArray[Any]) -> None:
    """Check that a block is valid sound.

    Raises:
        SignalError: when it is not one-dimensional, not float or int16, or not finite.
    """
    if not isinstance(block, np.ndarray):
        raise SignalError(f"samples must be a numpy array, not {type(block).__name__}")
    if block.ndim != 1:
        raise SignalError(f"samples must have one dimension (mono), not shape {block.shape}")
    kind = block.dtype.kind
    if kind == "i" and block.dtype.itemsize == 2:
        return
    if kind != "f":
        raise SignalError(f"samples must be floats in [-1, 1] or int16, not {block.dtype}")
    # A single pass that NaN, infinity and absurd magnitudes all fail; a loud but valid block may fail it too.
    # Of numpy's products, vdot is the one that does not warn about the values that are refused here anyway.
    if not float(np.vdot(block, block)) < _LIMIT:
        bad = np.flatnonzero(~(np.abs(block.astype(np.float64)) < _LIMIT))
        if bad.size:
            i = int(bad[0])
            raise SignalError(f"sample {i} is {block[i]}: samples must be finite floats in [-1, 1]")


class SampleQueue:
    """The samples that future frames still need, with room for one tile of frames.

    Its size is fixed: a long block goes through it piece by piece, so that the samples stay in the
    processor's cache from their conversion to float64 until they are framed.
    """

    def __init__(self, config: MfccConfig, tile: int) -> None:
        self._length, self._hop, self._lead = config.frame_length, config.hop_length, config.lead
        self._preemphasis = config.preemphasis
        size = (tile - 1) * self._hop + self._length
        self._samples: Samples = np.zeros(size)
        self._before: Samples = np.empty(size if self._preemphasis else 0)
        step = self._samples.itemsize
        self.frames: Samples = np.lib.stride_tricks.as_strided(
            self._samples, (tile, self._length), (step * self._hop, step), writeable=False
        )
        """Every whole frame that fits, shape (tile, frame_length); the first `ready` of them are filled"""
        self.reset()

    def reset(self) -> None:
        """Forget all samples."""
        self._samples[: self._lead] = 0.0
        self._filled = self._lead
        self._last = 0.0

    @property
    def ready(self) -> int:
        """Number of whole frames."""
        return self.ready_after(0)

    def ready_after(self, n_samples: int) -> int:
        """Number of whole frames that there would be after `n_samples` more samples, if there were room."""
        spare = self._filled + n_samples - self._length
        return 0 if spare < 0 else 1 + spare // self._hop

    def fill(self, block: NDArray[Any]) -> int:
        """Take as many samples from the front of a checked block as there is room for; return how many."""
        n = min(block.size, self._samples.size - self._filled)
        room = self._samples[self._filled : self._filled + n]
        room[:] = block[:n]
        if block.dtype.kind == "i":
            room *= 1.0 / 32_768.0
        if self._preemphasis:
            before = self._before[:n]
            before[0] = self._last * self._preemphasis
            np.multiply(room[:-1], self._preemphasis, out=before[1:])
            self._last = float(room[-1])
            room -= before
        self._filled += n
        return n

    def drop(self, n_frames: int) -> None:
        """Drop the samples that only the first `n_frames` frames needed."""
        start = n_frames * self._hop
        left = self._filled - start
        self._samples[:left] = self._samples[start : self._filled]
        self._filled = left
