"""Removes the constant (DC) offset that cheap converters add to a microphone's sound."""

from __future__ import annotations

import math

import numpy as np

from edge.audio.block import SAMPLE_RATE, Block

_TIME_CONSTANT_S = 0.5
"""Corresponds to a high-pass filter at 0.3 Hz, far below any sound"""


class OffsetRemover:
    """Subtracts the running mean of a stream, starting from the mean of its first block."""

    def __init__(self) -> None:
        self._offset: float | None = None

    def push(self, block: Block) -> Block:
        """The next block (n,), n >= 1, minus the offset; clipped to [-1, 1]."""
        mean = float(block.mean())
        if self._offset is None:
            self._offset = mean
        self._offset += (mean - self._offset) * -math.expm1(-block.size / (_TIME_CONSTANT_S * SAMPLE_RATE))
        centred: Block = np.clip(block - np.float32(self._offset), np.float32(-1.0), np.float32(1.0))
        return centred
