"""From the frames of a turn to the windows that the model sees."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.float32]


def cut_windows(frames: Frames, n_frames: int, hop: int) -> Frames:
    """Windows over normalised frames (n, n_features), n >= 1: shape (w, n_frames, n_features).

    The windows are spread evenly from the first frame to the last, at most `hop` apart. A turn shorter
    than a window stands at its beginning; the rest is 0, the mean of the training speech.
    """
    n, width = frames.shape
    if n <= n_frames:
        window = np.zeros((1, n_frames, width), np.float32)
        window[0, :n] = frames
        return window
    count = 1 + -(-(n - n_frames) // hop)
    starts = np.rint(np.linspace(0, n - n_frames, count)).astype(int)
    return np.stack([frames[start : start + n_frames] for start in starts]).astype(np.float32)
