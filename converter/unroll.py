"""Unrolls recurrent layers: int8 has no loops, and the converter of TensorFlow 2.21 crashes on one."""

from __future__ import annotations

from typing import Any

import keras


def unrolled(network: Any) -> Any:
    """The same Keras network with its recurrent layers unrolled.

    All steps share the weights, so only the operators add to the size of the file.
    """
    if not any(isinstance(layer, keras.layers.RNN) for layer in network.layers):
        return network

    def rebuilt(layer: Any) -> Any:
        settings = layer.get_config()
        if isinstance(layer, keras.layers.RNN):
            settings["unroll"] = True
        if isinstance(layer, keras.layers.LSTM):
            # One product per gate, instead of a single product that is then split. The first step has no
            # state to forget, so the forget gate's part of the split would be unused and have no range, and
            # with some weights TensorFlow 2.21 would leave the split in float.
            settings["implementation"] = 1
        return layer.__class__.from_config(settings)

    copy = keras.models.clone_model(network, clone_function=rebuilt)
    copy.set_weights(network.get_weights())
    return copy
