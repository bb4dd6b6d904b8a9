"""Takes a constant offset out of a microphone's sound, which cheap converters add."""

from __future__ import annotations

import math

import numpy as np

from edge.audio.block import SAMPLE_RATE, Block

_TIME_CONSTANT_S = 0.5
"""A high pass at 0.3 Hz, far below any sound"""


class OffsetRemover:
    """Subtracts the running mean of a stream, which begins with the mean of its first block."""

    def __init__(self) -> None:
        self._offset: float | None = None

    def push(self, block: Block) -> Block:
        """The next block (n,), n >= 1, less the offset; clipped to [-1, 1]."""
        mean = float(block.mean())
        if self._offset is None:
            self._offset = mean
        self._offset += (mean - self._offset) * -math.expm1(-block.size / (_TIME_CONSTANT_S * SAMPLE_RATE))
        centred: Block = np.clip(block - np.float32(self._offset), np.float32(-1.0), np.float32(1.0))
        return centred
