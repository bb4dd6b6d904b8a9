"""The network of affectd: a small residual convolutional network over time and cepstrum, and over the pitch.

If the recipe asks for it, a second branch convolves over time alone: see `training.branches`.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from edge.frontend.mfcc_config import MfccConfig
from edge.frontend.tables import dct_matrix
from training.networks.temporal import heard_over_time
from training.recipe import NetworkSettings

Size = int | tuple[int, int]
"""In time and cepstrum; one number stands for both"""


_STEM_FRAMES = 9
STEM_STEP = 4
"""Stride in frames, 40 ms: emotion changes slowly, and the arithmetic is better spent in the later stages"""


def build(settings: NetworkSettings, n_frames: int, n_features: int, n_labels: int, n_pitch: int) -> Any:
    """See `build_network`."""
    width = settings.width
    window = keras.Input((n_frames, n_features))
    n_cepstra = n_features - n_pitch
    # Without pitch, a slice of everything would only be one more operator in the file.
    cepstra = window[:, :, :n_cepstra] if n_pitch else window
    if settings.bands:
        cepstra = _bands(cepstra, n_cepstra)
    x = layers.Reshape((n_frames, n_cepstra, 1))(cepstra)
    x = _convolution(x, width, kernel=(_STEM_FRAMES, 5), stride=(STEM_STEP, 2), relu=False)
    if n_pitch:
        x = layers.Add()([x, _melody(window[:, :, n_cepstra:], width)])
    x = layers.ReLU()(x)
    for channels in (width, 2 * width, 4 * width):
        x = _stage(x, channels, settings)
    heard = [_pooled(x, settings.pooling)]
    if settings.temporal:
        heard.append(heard_over_time(window, settings.temporal, settings.dropout))
    answers = [_answer(x, n_labels, settings) for x in heard]
    return keras.Model(window, layers.Average()(answers) if settings.temporal else answers[0])


def _answer(x: Any, n_labels: int, settings: NetworkSettings) -> Any:
    """Logits from one vector of each window."""
    x = layers.Dropout(settings.dropout)(x)
    return layers.Dense(n_labels)(x)


def _melody(pitch: Any, channels: int) -> Any:
    """Features of the pitch contour, the same for every place of the cepstrum."""
    x = layers.Conv1D(channels, _STEM_FRAMES, strides=STEM_STEP, padding="same", use_bias=False)(pitch)
    x = layers.BatchNormalization()(x)
    return layers.Reshape((x.shape[1], 1, channels))(x)


def _bands(cepstra: Any, n: int) -> Any:
    """Mel bands of the normalised cepstrum, by a dense layer that starts as the inverse DCT."""
    undo = layers.Dense(n, use_bias=False)
    bands = undo(cepstra)
    undo.set_weights([dct_matrix(MfccConfig(n_mfcc=n, n_mels=n)).T])
    return bands


def _stage(x: Any, channels: int, settings: NetworkSettings) -> Any:
    """Two convolutions beside a shortcut, at half the resolution; He et al., 2016."""
    y = _convolution(x, channels, kernel=3, stride=2, separable=settings.separable)
    y = _convolution(y, channels, kernel=3, relu=False, separable=settings.separable)
    x = _convolution(x, channels, kernel=1, stride=2, relu=False)
    x = layers.ReLU()(layers.Add()([x, y]))
    return layers.Dropout(settings.dropout / 2)(x)


def _pooled(x: Any, how: str) -> Any:
    """One vector of each window, from (n, time, cepstrum, channels)."""
    _, moments, places, _channels = x.shape
    if how == "places":
        return layers.Flatten()(layers.AveragePooling2D((moments, 1))(x))
    mean = layers.GlobalAveragePooling2D()
    if how == "peaks":
        return layers.Concatenate()([mean(x), layers.GlobalMaxPooling2D()(x)])
    if how == "attention":
        weights = layers.Reshape((moments * places,))(layers.Conv2D(1, 1)(x))
        weights = layers.Reshape((moments, places, 1))(layers.Softmax()(weights))
        x = layers.Multiply()([x, weights])
        # The mean times their number is the weighted sum: the weights add up to one.
        return layers.Rescaling(float(moments * places))(mean(x))
    return mean(x)


def _convolution(
    x: Any, channels: int, kernel: Size, stride: Size = 1, relu: bool = True, separable: bool = False
) -> Any:
    kind = layers.SeparableConv2D if separable else layers.Conv2D
    x = kind(channels, kernel, strides=stride, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    return layers.ReLU()(x) if relu else x
