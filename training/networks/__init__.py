"""Networks that a recipe can name, in backend-neutral Keras 3: one file each."""

from __future__ import annotations

from typing import Any

from training.networks import crnn, light_sernet, lstm, residual, temporal
from training.recipe import NetworkSettings

_BASELINES = {
    "temporal": temporal.build,
    "light_sernet": light_sernet.build,
    "lstm": lstm.build,
    "crnn": crnn.build,
}


def build_network(
    settings: NetworkSettings, n_frames: int, n_features: int, n_labels: int, n_pitch: int = 0
) -> Any:
    """The named network, from normalised windows (n, n_frames, n_features) to logits (n, n_labels).

    The last `n_pitch` features are pitch and voicing. The baselines treat them as two more coefficients.

    The networks use only operators that TensorFlow Lite quantises without float in between: convolution,
    pooling, addition, concatenation, mean, fully connected, LSTM; ReLU and batch normalisation are folded
    into the convolutions.
    """
    if settings.shape == "residual":
        return residual.build(settings, n_frames, n_features, n_labels, n_pitch)
    return _BASELINES[settings.shape](settings, n_frames, n_features, n_labels)
