"""Selects the windows that set the ranges of a network's activations in quantisation."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from converter.quantize import Windows

USUAL_SHARE = 0.8
"""Share of the windows that is used; the rest have the most extreme activations"""


def usual(network: Any, windows: Windows) -> Windows:
    """The windows without the most extreme fifth, in their original order.

    A tensor's range extends from the lowest to the highest value that the converter meets in it, in 256
    steps. A window with extreme values in one layer makes the steps coarser for all the others; when it is
    left out, only that window saturates.

    Args:
        network: a Keras model from windows to logits.
        windows: (n, n_frames, n_features), n >= 1.
    """
    peaks = _peaks(network, windows)
    # How extreme a window is in a layer is measured against the median peak of that layer.
    typical = np.maximum(np.median(peaks, axis=0), np.finfo(np.float32).tiny)
    farthest = (peaks / typical).max(axis=1)
    count = int(np.ceil(USUAL_SHARE * len(windows)))
    return windows[np.sort(np.argsort(farthest, kind="stable")[:count])]


def _peaks(network: Any, windows: Windows) -> NDArray[np.float32]:
    """The largest activation of each window in each layer, by magnitude, (n, layers)."""
    # Where a network calls another one several times (`training.networks.views`), the inner one is measured.
    asked = next((layer for layer in network.layers if isinstance(layer, keras.Model)), network)
    outputs = [layer.output for layer in asked.layers]
    peaks = [keras.ops.max(keras.ops.abs(x), axis=tuple(range(1, len(x.shape)))) for x in outputs]
    probe = keras.Model(asked.input, keras.ops.stack(peaks, axis=-1))
    return np.asarray(probe.predict(windows, batch_size=32, verbose=0), np.float32)
