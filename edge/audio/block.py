"""The types for sound: `Block` is the only one that leaves this package."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
"""Sample rate of every block in hertz"""

Block: TypeAlias = NDArray[np.float32]
"""Mono sound in [-1, 1] at SAMPLE_RATE, shape (n,), any n"""

Frames: TypeAlias = NDArray[np.float32]
"""Sound as it comes from the source, shape (n, channels), at the source's own rate"""
