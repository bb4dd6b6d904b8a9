"""Delta coefficients of a stream: the slope of each coefficient over neighbouring frames."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.floating[Any]]


class StreamingDeltas:
    """Appends deltas up to order `orders` to frames of `n` values, with a delay of `orders * width` frames.

    A delta is the regression slope of Furui, "Speaker-independent isolated word recognition", 1986:
    d[t] = sum k (c[t+k] - c[t-k]) / (2 sum k²), k = 1..width. Before the first and after the last frame,
    the nearest one counts as repeated. The second order is the delta of the first.
    """

    def __init__(self, orders: int, width: int, n: int) -> None:
        self._orders = orders
        self._n = n
        slope = np.arange(-width, width + 1, dtype=np.float64)
        self._slope = slope / np.sum(slope**2)
        self.reset()

    def reset(self) -> None:
        """Forget the frames that are held back."""
        self._stages = [_Slope(self._slope) for _ in range(self._orders)]
        self._held: list[Frames] = [np.empty((0, self._n * (i + 1))) for i in range(self._orders)]

    def push(self, frames: Frames) -> Frames:
        """Take frames (m, n) and return those whose deltas are known, (k, n * (1 + orders))."""
        for i, stage in enumerate(self._stages):
            frames = self._join(i, frames, stage.push(frames[:, -self._n :]))
        return frames

    def flush(self) -> Frames:
        """Return the frames still held back, as if the last one were repeated for ever, and reset."""
        frames: Frames = np.empty((0, self._n))
        for i, stage in enumerate(self._stages):
            slopes = np.concatenate([stage.push(frames[:, -self._n :]), stage.flush(self._n)])
            frames = self._join(i, frames, slopes)
        self.reset()
        return frames

    def _join(self, i: int, frames: Frames, slopes: Frames) -> Frames:
        """Append `slopes` to the oldest frames held at stage `i`, and hold the rest."""
        waiting = np.concatenate([self._held[i], frames])
        ready, self._held[i] = waiting[: len(slopes)], waiting[len(slopes) :]
        return np.concatenate([ready, slopes], axis=1)


class _Slope:
    """One order: the regression slope over 2 width + 1 frames."""

    def __init__(self, slope: Frames) -> None:
        self._slope = slope
        self._context: Frames | None = None

    def push(self, frames: Frames) -> Frames:
        if len(frames) == 0:
            return frames
        width = len(self._slope) // 2
        if self._context is None:
            self._context = np.repeat(frames[:1], width, axis=0)
        context = np.concatenate([self._context, frames])
        n = max(0, len(context) - 2 * width)
        self._context = context[n:]
        slopes = np.zeros((n, frames.shape[1]))
        for k, weight in enumerate(self._slope):
            slopes += weight * context[k : k + n]
        return slopes

    def flush(self, n: int) -> Frames:
        if self._context is None:
            return np.empty((0, n))
        return self.push(np.repeat(self._context[-1:], len(self._slope) // 2, axis=0))
