"""Test-time augmentation: a finished network classifies each window at several vocal-tract lengths.

This helps a network trained on few speakers: which emotion it recognises in an unheard voice depends on the
length of that voice's vocal tract, and the mean over several lengths depends less on chance. The views are
part of the network, so that the file holds the weights once and the device needs no extra code. An inference
costs as many times as much as there are views.
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
    """A network that applies another to several views of a window, and gives the mean of its logits.

    The stem moves through a window in strides of several frames. Each view begins a frame later than the one
    before, until that makes a whole stride, so that together they cover the frames between two strides.

    Args:
        network: from normalised windows (n, n_frames, n_features) to logits (n, n_labels).
        stretches: factor of the mel axis in each view, see `training.vocal_tract`; without any, `network`
            itself is the result.
        config: the front end, whose DCT must be invertible.
        std: by which the windows are divided, shape (n_features,).
    """
    if not stretches:
        return network
    window = keras.Input(network.input.shape[1:])
    views = [
        _later(_stretched(window, factor, config, std), i % STEM_STEP) for i, factor in enumerate(stretches)
    ]
    # As one batch: if the network were called several times, the file would hold it several times.
    logits = network(layers.Concatenate(axis=0)(views))
    of_views = keras.ops.reshape(logits, (len(views), -1, logits.shape[-1]))
    return keras.Model(window, keras.ops.mean(of_views, axis=0))


def without_views(network: Any) -> Any:
    """The network inside one with views; one without views is returned as it is."""
    return next((layer for layer in network.layers if isinstance(layer, keras.Model)), network)


def _stretched(window: Any, factor: float, config: MfccConfig, std: NDArray[np.floating]) -> Any:
    """The window as from a vocal tract of another length; padding stays as it is."""
    if factor == 1.0:
        return window
    # One matrix undoes the normalisation, stretches the mel axis and goes back; pitch and voicing stay.
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
