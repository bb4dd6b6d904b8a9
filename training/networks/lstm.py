"""Two LSTM layers over the frames, four at a time: the recurrent baseline."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from training.recipe import NetworkSettings

_FRAMES = 4


def build(settings: NetworkSettings, n_frames: int, n_features: int, n_labels: int) -> Any:
    """See `build_network`. Four times `width` units a layer."""
    units = 4 * settings.width
    window = keras.Input((n_frames, n_features))
    # Each step sees four frames, 40 ms: a quarter of the steps for training, and to unroll for the device.
    steps = -(-n_frames // _FRAMES)
    x = layers.ZeroPadding1D((0, steps * _FRAMES - n_frames))(window)
    x = layers.Reshape((steps, _FRAMES * n_features))(x)
    x = layers.LSTM(units, return_sequences=True)(x)
    x = layers.Dropout(settings.dropout)(x)
    x = layers.LSTM(units, return_sequences=True)(x)
    # The mean rather than the last state: a short turn is padded with zeros at the end.
    x = layers.GlobalAveragePooling1D()(x)
    x = layers.Dropout(settings.dropout)(x)
    return keras.Model(window, layers.Dense(n_labels)(x))
