"""Convolutions that shorten the window, then an LSTM over the remaining time steps: the CRNN baseline."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from training.recipe import NetworkSettings


def build(settings: NetworkSettings, n_frames: int, n_features: int, n_labels: int) -> Any:
    """See `build_network`. Convolutions of `width` to four times `width` channels, as many LSTM units."""
    width = settings.width
    window = keras.Input((n_frames, n_features))
    x = layers.Reshape((n_frames, n_features, 1))(window)
    for channels in (width, 2 * width, 4 * width):
        x = layers.Conv2D(channels, 3, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
        x = layers.MaxPooling2D(2)(x)
    x = layers.Dropout(settings.dropout)(x)
    # Each step of the LSTM sees all channels of all places of the cepstrum.
    x = layers.Reshape((x.shape[1], x.shape[2] * x.shape[3]))(x)
    x = layers.LSTM(4 * width, return_sequences=True)(x)
    x = layers.GlobalAveragePooling1D()(x)
    x = layers.Dropout(settings.dropout)(x)
    return keras.Model(window, layers.Dense(n_labels)(x))
