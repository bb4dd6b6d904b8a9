"""One window as several voices would have said it: a finished network answers to each, and their mean counts.

Such test-time augmentation serves a network that has learned from few speakers: what it takes for the feeling
of an unheard voice depends on that voice's vocal tract, and hangs on chance less where it is asked at several
lengths of it. It is part of the network, so that the file holds the weights once and the device knows nothing
of it; an inference costs as many times as much.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from edge.frontend.mfcc_config import MfccConfig
from edge.frontend.tables import dct_matrix
from training.networks.residual import STEM_STEP
from training.vocal_tract import stretched


def with_views(
    network: Any, stretches: Sequence[float], config: MfccConfig, std: NDArray[np.floating]
) -> Any:
    """A network that asks another several times, and gives the mean of its logits.

    The stem goes through a window in steps: each view begins a frame later than the one before, until it is a
    step, so that together they miss nothing between two steps.

    Args:
        network: from normalised windows (n, n_frames, n_features) to logits (n, n_labels).
        stretches: factor of the mel axis in each view, see `training.vocal_tract`; without any, the network.
        config: the front end, whose DCT can be undone.
        std: by which the windows are divided, shape (n_features,).
    """
    if not stretches:
        return network
    window = keras.Input(network.input.shape[1:])
    views = [
        _later(_stretched(window, factor, config, std), i % STEM_STEP) for i, factor in enumerate(stretches)
    ]
    # As a batch: called several times, the network would stand several times in the file.
    logits = network(layers.Concatenate(axis=0)(views))
    of_views = keras.ops.reshape(logits, (len(views), -1, logits.shape[-1]))
    return keras.Model(window, keras.ops.mean(of_views, axis=0))


def without_views(network: Any) -> Any:
    """The network that is asked several times; of one that is not, itself."""
    return next((layer for layer in network.layers if isinstance(layer, keras.Model)), network)


def _stretched(window: Any, factor: float, config: MfccConfig, std: NDArray[np.floating]) -> Any:
    """As a vocal tract of another length would have said it; what is padded stays as it is."""
    if factor == 1.0:
        return window
    # On the mel axis and back, around the normalisation: one matrix; pitch and voicing stay.
    dct = dct_matrix(config)
    spectra = stretched(dct.T[None].astype(np.float32), np.array([factor]))[0].astype(np.float64)
    matrix = np.eye(len(std))
    matrix[: len(dct), : len(dct)] = spectra @ dct
    matrix *= std[:, None] / std
    product = layers.Dense(len(std), use_bias=False)
    stretched_window = product(window)
    product.set_weights([matrix])
    return stretched_window


def _later(window: Any, frames: int) -> Any:
    if not frames:
        return window
    return layers.Cropping1D((0, frames))(layers.ZeroPadding1D((frames, 0))(window))
