"""The one type that leaves this room."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
"""Hertz of every block"""

Block: TypeAlias = NDArray[np.float32]
"""Mono sound in [-1, 1] at SAMPLE_RATE, shape (n,), any n"""

Frames: TypeAlias = NDArray[np.float32]
"""Sound as it came, shape (n, channels), at the source's own rate"""
