"""The windows by which the ranges of a network's activations are set."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from converter.quantize import Windows

USUAL_SHARE = 0.8
"""Of the windows: the others have the most extreme activations"""


def usual(network: Any, windows: Windows) -> Windows:
    """The windows without the most extreme fifth, in the order that they had.

    A tensor's range goes from the least to the greatest value that the converter meets in it, in 256 steps.
    A window that is far out in some layer makes all others coarser; left out, it saturates alone.

    Args:
        network: a Keras model from windows to logits.
        windows: (n, n_frames, n_features), n >= 1.
    """
    peaks = _peaks(network, windows)
    # How far out a window is in a layer is told by what is usual there.
    typical = np.maximum(np.median(peaks, axis=0), np.finfo(np.float32).tiny)
    farthest = (peaks / typical).max(axis=1)
    count = int(np.ceil(USUAL_SHARE * len(windows)))
    return windows[np.sort(np.argsort(farthest, kind="stable")[:count])]


def _peaks(network: Any, windows: Windows) -> NDArray[np.float32]:
    """The greatest magnitude of each window in each layer, (n, layers)."""
    # Of a network that asks another several times (`training.networks.views`), the other's layers tell.
    asked = next((layer for layer in network.layers if isinstance(layer, keras.Model)), network)
    outputs = [layer.output for layer in asked.layers]
    peaks = [keras.ops.max(keras.ops.abs(x), axis=tuple(range(1, len(x.shape)))) for x in outputs]
    probe = keras.Model(asked.input, keras.ops.stack(peaks, axis=-1))
    return np.asarray(probe.predict(windows, batch_size=32, verbose=0), np.float32)
