"""The names of a model's tensors, which no device needs."""

import numpy as np
import pytest
import tensorflow as tf
from keras import Input, Model, layers
from tensorflow.lite.python import schema_py_generated as schema

from converter.operators import operators
from converter.strip import stripped
from edge.inference.runtime import Runtime, build_interpreter

pytestmark = pytest.mark.training

WINDOWS = np.random.default_rng(0).standard_normal((20, 24, 10)).astype(np.float32)


@pytest.fixture(scope="module")
def named():
    """An int8 model as the converter of TensorFlow leaves it."""
    window = Input((24, 10))
    x = layers.Reshape((24, 10, 1))(window)
    x = layers.Conv2D(7, 3, padding="same", activation="relu")(x)
    network = Model(window, layers.Dense(3)(layers.GlobalAveragePooling2D()(x)))
    converter = tf.lite.TFLiteConverter.from_keras_model(network)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([window[None]] for window in WINDOWS)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


def answers(flatbuffer):
    interpreter, _ = build_interpreter(flatbuffer, Runtime.LITERT, 1)
    given, taken = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    found = []
    for window in np.clip(np.rint(WINDOWS * 40), -128, 127).astype(np.int8):
        interpreter.set_tensor(given["index"], window[None])
        interpreter.invoke()
        found.append(interpreter.get_tensor(taken["index"]).copy())
    return np.concatenate(found), given["quantization"], taken["quantization"]


def test_stripped_when_asked_then_the_same_model_in_fewer_bytes(named):
    bare = stripped(named)

    assert len(bare) < len(named)
    for with_names, without in zip(answers(named), answers(bare), strict=True):
        np.testing.assert_array_equal(with_names, without)
    assert [o.name for o in operators(bare)] == [o.name for o in operators(named)]
    assert all(tensor.name == "" for o in operators(bare) for tensor in (*o.inputs, *o.outputs))


def test_stripped_when_written_then_all_weights_lie_where_the_schema_wants_them(named):
    bare = stripped(named)
    places = [_offset(buffer) for buffer in _buffers(bare) if buffer.DataLength()]

    assert len(places) >= 4
    assert {place % 16 for place in places} == {0}


def _buffers(flatbuffer):
    model = schema.Model.GetRootAs(flatbuffer, 0)
    return [model.Buffers(i) for i in range(model.BuffersLength())]


def _offset(buffer):
    """Where the data of a buffer begins in the file."""
    field = buffer._tab.Offset(4)
    return buffer._tab.Vector(field)


def test_stripped_when_done_twice_then_the_same_bytes(named):
    assert stripped(named) == stripped(named)
    assert stripped(stripped(named)) == stripped(named)
