"""Quantises a Keras network to a TFLite flatbuffer in which every tensor is an integer."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from converter.operators import operators
from converter.strip import stripped
from converter.unroll import unrolled
from edge.errors import AffectdError
from edge.quiet_stderr import quiet_stderr

Windows = NDArray[np.float32]

_INTEGER_TYPES = {schema.TensorType.INT8: "int8", schema.TensorType.INT32: "int32"}


class QuantizeError(AffectdError, ValueError):
    """Raised when a network cannot be made fully integer; the message names the cause."""

    exit_code = 65


def quantize(network: Any, calibration: Windows) -> bytes:
    """Quantise weights and activations to int8 after training (Jacob et al., 2018); biases become int32.

    Recurrent layers are unrolled.

    Args:
        network: a Keras model from windows (n, n_frames, n_features) to logits, TensorFlow backend.
        calibration: windows (n, n_frames, n_features) whose activations set the ranges.

    Raises:
        QuantizeError: when a tensor of the result is not an integer, or the network cannot be converted.
    """
    shape = (1, *calibration.shape[1:])
    steps = unrolled(network)
    graph = tf.function(lambda window: steps(window, training=False))
    # With a fixed batch of one and variables frozen to constants, no operator works on shapes or resources.
    frozen = convert_variables_to_constants_v2(graph.get_concrete_function(tf.TensorSpec(shape, tf.float32)))
    with quiet_stderr("tensorflow"):
        converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([window[None].astype(np.float32)] for window in calibration)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    try:
        with quiet_stderr("tensorflow"):
            flatbuffer: bytes = converter.convert()
    except Exception as error:  # the converter raises whatever its passes raise
        raise QuantizeError(f"TensorFlow cannot convert the network: {error}") from error
    check_integer(flatbuffer)
    return stripped(flatbuffer)


def check_integer(flatbuffer: bytes) -> None:
    """Check that every tensor of every operator is an integer.

    Raises:
        QuantizeError: naming the first such tensor and its operator.
    """
    for operator in operators(flatbuffer):
        for tensor in (*operator.inputs, *operator.outputs):
            if tensor.type not in _INTEGER_TYPES:
                raise QuantizeError(
                    f"{operator.name} works on tensor {tensor.name!r}, which is not an integer "
                    f"(type {tensor.type})"
                )
