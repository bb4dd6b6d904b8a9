"""Cuts the frames of a turn into the model's input windows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.float32]


def cut_windows(frames: Frames, n_frames: int, hop: int) -> Frames:
    """All windows of `each_window` at once: shape (w, n_frames, n_features)."""
    return np.stack(list(each_window(frames, n_frames, hop)))


def each_window(frames: Frames, n_frames: int, hop: int) -> Iterator[Frames]:
    """Windows (n_frames, n_features) over normalised frames (n, n_features), n >= 1, one after the other.

    The windows are spread evenly from the first frame to the last, at most `hop` apart. A turn that is
    shorter than a window is padded at its end with 0, the mean of the training speech. All other windows are
    views of `frames`: copies for an hour of sound would take hundreds of megabytes.
    """
    n, width = frames.shape
    frames = np.asarray(frames, np.float32)
    if n <= n_frames:
        window = np.zeros((n_frames, width), np.float32)
        window[:n] = frames
        yield window
        return
    count = 1 + -(-(n - n_frames) // hop)
    for start in np.rint(np.linspace(0, n - n_frames, count)).astype(int):
        yield frames[start : start + n_frames]
