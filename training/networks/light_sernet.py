"""The size and shape of LIGHT-SERNET, written from the description in Aftab et al., ICASSP 2022."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from training.recipe import NetworkSettings


def build(settings: NetworkSettings, n_frames: int, n_features: int, n_labels: int) -> Any:
    """See `build_network`. `width` is the channels of each path: 32 in the paper, 463 thousand parameters."""
    width = settings.width
    window = keras.Input((n_frames, n_features))
    x = layers.Reshape((n_frames, n_features, 1))(window)
    # One path convolves over time, one over the spectrum, and one over both.
    paths = [_block(x, width, kernel, pool=(2, 2)) for kernel in ((9, 1), (1, 11), (3, 3))]
    x = layers.Concatenate()(paths)
    for channels, pool in ((2, (2, 2)), (3, (2, 2)), (4, (2, 1)), (5, (2, 1))):
        x = _block(x, channels * width, (3, 3), pool)
    x = _convolution(x, 10 * width, (1, 1))
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(settings.dropout)(x)
    return keras.Model(window, layers.Dense(n_labels)(x))


def _block(x: Any, channels: int, kernel: tuple[int, int], pool: tuple[int, int]) -> Any:
    return layers.AveragePooling2D(pool)(_convolution(x, channels, kernel))


def _convolution(x: Any, channels: int, kernel: tuple[int, int]) -> Any:
    x = layers.Conv2D(channels, kernel, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization()(x))
