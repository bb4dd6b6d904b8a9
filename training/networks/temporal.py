"""Residual convolutions over time alone, each coefficient a channel, after TC-ResNet (Choi et al., 2019)."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from training.recipe import NetworkSettings

_FRAMES = 9


def build(settings: NetworkSettings, n_frames: int, n_features: int, n_labels: int) -> Any:
    """See `build_network`. Stages of twice to four times `width` channels."""
    window = keras.Input((n_frames, n_features))
    x = layers.Dropout(settings.dropout)(heard_over_time(window, settings.width, settings.dropout))
    return keras.Model(window, layers.Dense(n_labels)(x))


def heard_over_time(window: Any, width: int, dropout: float) -> Any:
    """The last stage's mean over time, (n, 4 * width), from windows (n, n_frames, n_features)."""
    _, n_frames, n_features = window.shape
    # Another dimension of size one: the converter folds batch normalisation into 2-D convolutions. Time comes
    # after it, because oneDNN, which trains on CPUs, is slow along the dimension before the last.
    x = layers.Reshape((1, n_frames, n_features))(window)
    x = _convolution(x, 2 * width, frames=3, stride=2)
    for channels in (2 * width, 3 * width, 4 * width):
        y = _convolution(x, channels, _FRAMES, stride=2)
        y = _convolution(y, channels, _FRAMES, relu=False)
        x = _convolution(x, channels, frames=1, stride=2, relu=False)
        x = layers.Dropout(dropout / 2)(layers.ReLU()(layers.Add()([x, y])))
    return layers.GlobalAveragePooling2D()(x)


def _convolution(x: Any, channels: int, frames: int, stride: int = 1, relu: bool = True) -> Any:
    x = layers.Conv2D(channels, (1, frames), strides=(1, stride), padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    return layers.ReLU()(x) if relu else x
