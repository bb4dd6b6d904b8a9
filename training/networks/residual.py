"""A small residual convolutional network over time and cepstrum, and over the pitch: ours."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from training.recipe import NetworkSettings

Size = int | tuple[int, int]
"""In time and cepstrum; one number stands for both"""


_STEM_FRAMES = 9
_STEM_STEP = 4
"""Emotion moves slowly: 40 ms a step keeps what counts, and the arithmetic where the channels are many"""


def build(settings: NetworkSettings, n_frames: int, n_features: int, n_labels: int, n_pitch: int) -> Any:
    """See `build_network`."""
    width = settings.width
    window = keras.Input((n_frames, n_features))
    n_cepstra = n_features - n_pitch
    # A slice of everything would be an operator of its own in the file.
    cepstra = window[:, :, :n_cepstra] if n_pitch else window
    x = layers.Reshape((n_frames, n_cepstra, 1))(cepstra)
    x = _convolution(x, width, kernel=(_STEM_FRAMES, 5), stride=(_STEM_STEP, 2), relu=False)
    if n_pitch:
        x = layers.Add()([x, _melody(window[:, :, n_cepstra:], width)])
    x = layers.ReLU()(x)
    for channels in (width, 2 * width, 4 * width):
        x = _stage(x, channels, dropout=settings.dropout / 2)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(settings.dropout)(x)
    return keras.Model(window, layers.Dense(n_labels)(x))


def _melody(pitch: Any, channels: int) -> Any:
    """The course of the pitch, the same to every place of the cepstrum."""
    x = layers.Conv1D(channels, _STEM_FRAMES, strides=_STEM_STEP, padding="same", use_bias=False)(pitch)
    x = layers.BatchNormalization()(x)
    return layers.Reshape((x.shape[1], 1, channels))(x)


def _stage(x: Any, channels: int, dropout: float) -> Any:
    """Two convolutions beside a shortcut, at half the resolution; He et al., 2016."""
    y = _convolution(x, channels, kernel=3, stride=2)
    y = _convolution(y, channels, kernel=3, relu=False)
    x = _convolution(x, channels, kernel=1, stride=2, relu=False)
    x = layers.ReLU()(layers.Add()([x, y]))
    return layers.Dropout(dropout)(x)


def _convolution(x: Any, channels: int, kernel: Size, stride: Size = 1, relu: bool = True) -> Any:
    x = layers.Conv2D(channels, kernel, strides=stride, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    return layers.ReLU()(x) if relu else x
