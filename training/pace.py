"""Estimate how long a training will take, from the speed of its first batches."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import keras

_WARM_UP = 3
"""Batches that do not count: the network is compiled during the first"""

_MEASURED = 20


class Pace(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no types
    """Reports once how much time is left.

    Args:
        batches: in one epoch.
        tell: called with the batches that are left, and the seconds that they will take at this speed.
        clock: gives seconds from an arbitrary origin.
    """

    def __init__(
        self,
        batches: int,
        tell: Callable[[int, float], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._batches = batches
        self._tell = tell
        self._clock = clock
        self._seen = 0
        self._epoch = 0
        self._begun = 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002  # Keras passes it
        """Note the epoch: a resumed run does not begin with the first."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002  # Keras passes it
        """Measure, and report once enough batches have been seen."""
        self._seen += 1
        if self._seen == _WARM_UP:
            self._begun = self._clock()
        if self._seen == _WARM_UP + _MEASURED:
            left = self.params["epochs"] * self._batches - (self._epoch * self._batches + batch + 1)
            self._tell(left, left * (self._clock() - self._begun) / _MEASURED)
