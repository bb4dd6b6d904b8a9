"""Recurrent layers step by step: int8 has no loop, and the converter of TensorFlow 2.21 crashes on one."""

from __future__ import annotations

from typing import Any

import keras


def unrolled(network: Any) -> Any:
    """The same Keras network with every step of its recurrent layers written out.

    The weights are shared by all steps, so the file grows by the operators alone.
    """
    if not any(isinstance(layer, keras.layers.RNN) for layer in network.layers):
        return network

    def rebuilt(layer: Any) -> Any:
        settings = layer.get_config()
        if isinstance(layer, keras.layers.RNN):
            settings["unroll"] = True
        if isinstance(layer, keras.layers.LSTM):
            # A product for each gate, where there would be one for all that is then split: the first step has
            # no state to forget, so nobody takes that part of the split; no range is known for it, and with
            # some weights TensorFlow 2.21 leaves the split in float.
            settings["implementation"] = 1
        return layer.__class__.from_config(settings)

    copy = keras.models.clone_model(network, clone_function=rebuilt)
    copy.set_weights(network.get_weights())
    return copy
