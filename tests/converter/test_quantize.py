import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from tensorflow.lite.python import schema_py_generated as schema

from converter.operators import multiply_accumulates, operator_counts
from converter.quantize import QuantizeError, check_integer, quantize
from edge.inference.errors import ModelFileError
from edge.inference.model import EmotionModel, ModelSettings
from edge.inference.model_file import pack_model, read_model_file

pytestmark = pytest.mark.training

WINDOWS = np.random.default_rng(0).standard_normal((12, 48, 42)).astype(np.float32)

TFLITE_RUNTIME_2_14 = {
    "ADD": 5, "CONV_2D": 7, "FULLY_CONNECTED": 10, "MEAN": 3, "MUL": 2, "RESHAPE": 1, "STRIDED_SLICE": 2,
}  # fmt: skip
"""The newest version of each operator that tflite-runtime 2.14.0 was seen to take"""


def operators_and_versions(flatbuffer):
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(flatbuffer, 0))
    names = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
    return {
        names[max(code.builtinCode, code.deprecatedBuiltinCode)]: code.version for code in model.operatorCodes
    }


def tensor_types(flatbuffer):
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(flatbuffer, 0))
    return {tensor.type for graph in model.subgraphs for tensor in graph.tensors}


def plain_tflite(network):
    return tf.lite.TFLiteConverter.from_keras_model(network).convert()


def with_layer(layer):
    window = keras.Input((48, 42))
    return keras.Model(window, layers.Dense(3)(layer(layers.Flatten()(window))))


def test_quantize_when_the_shipped_kind_of_network_then_every_tensor_is_an_integer(converted):
    path, made = converted
    _, flatbuffer = read_model_file(path)

    check_integer(flatbuffer)
    assert tensor_types(flatbuffer) <= {schema.TensorType.INT8, schema.TensorType.INT32}
    assert operator_counts(flatbuffer) == made.operators
    assert made.operators["CONV_2D"] == 21
    assert "QUANTIZE" not in made.operators
    assert "DEQUANTIZE" not in made.operators


def test_quantize_when_done_then_no_operator_is_too_new_for_tflite_runtime(converted):
    _, flatbuffer = read_model_file(converted[0])

    for name, version in operators_and_versions(flatbuffer).items():
        assert version <= TFLITE_RUNTIME_2_14[name], name


def test_quantize_when_done_twice_then_the_same_bytes(network):
    assert quantize(network, WINDOWS) == quantize(network, WINDOWS)


@pytest.mark.parametrize("layer", [layers.Activation("elu"), layers.Lambda(tf.sin)], ids=["elu", "sine"])
def test_quantize_when_an_operator_has_no_int8_form_then_refused_by_name(layer):
    with pytest.raises(QuantizeError, match=r"which is not an integer|cannot convert"):
        quantize(with_layer(layer), WINDOWS)


def test_check_integer_when_the_graph_is_float_then_operator_and_tensor_are_named():
    window = keras.Input((48, 40), batch_size=1)
    flatbuffer = plain_tflite(keras.Model(window, layers.Dense(3)(window)))

    with pytest.raises(QuantizeError, match=r"FULLY_CONNECTED works on tensor '.+', which is not an integer"):
        check_integer(flatbuffer)


def test_model_when_it_is_float_then_the_device_refuses_it(tmp_path, converted):
    card, _ = read_model_file(converted[0])
    path = tmp_path / "float.tflite"
    path.write_bytes(pack_model(plain_tflite(with_layer(layers.Dense(4))), card))

    with pytest.raises(ModelFileError, match=r"float\.tflite: the model's input is float32"):
        EmotionModel(ModelSettings(path=str(path)))


def test_model_when_its_window_is_transposed_then_the_device_refuses_it(tmp_path, converted):
    card, _ = read_model_file(converted[0])
    window = keras.Input((42, 48))
    network = keras.Model(window, layers.Dense(3)(layers.Flatten()(window)))
    path = tmp_path / "transposed.tflite"
    path.write_bytes(pack_model(quantize(network, WINDOWS.transpose(0, 2, 1)), card))

    with pytest.raises(ModelFileError, match=r"int8 \(1, 42, 48\), but the card says int8 \(48, 42\)"):
        EmotionModel(ModelSettings(path=str(path)))


def test_multiply_accumulates_when_counted_by_hand_then_the_same():
    window = keras.Input((8, 6))
    x = layers.Reshape((8, 6, 1))(window)
    x = layers.Conv2D(4, 3, strides=2, padding="same", use_bias=False)(x)
    x = layers.Conv2D(5, 1)(x)
    network = keras.Model(window, layers.Dense(2)(layers.GlobalAveragePooling2D()(x)))

    flatbuffer = quantize(network, WINDOWS[:, :8, :6])

    assert multiply_accumulates(flatbuffer) == 4 * 3 * (9 * 4) + 4 * 3 * (4 * 5) + 5 * 2
