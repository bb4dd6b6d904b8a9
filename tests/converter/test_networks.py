"""Every network that a recipe can name, on its way to the device."""

import keras
import numpy as np
import pytest

from converter.operators import multiply_accumulates, operator_counts
from converter.quantize import check_integer, quantize
from edge.inference.runtime import Runtime, build_interpreter
from training.networks import build_network
from training.recipe import NetworkSettings

pytestmark = pytest.mark.training

N_FRAMES = 50
TRUTH = np.arange(60) % 3
WINDOWS = np.random.default_rng(4).standard_normal((60, N_FRAMES, 40)).astype(np.float32)
for window, label in zip(WINDOWS, TRUTH, strict=True):
    window[:, 5 * label : 5 * label + 4] *= 3.0
NETWORKS = {
    "residual": {},
    "residual, places": {"pooling": "places"},
    "residual, peaks": {"pooling": "peaks"},
    "residual, attention": {"pooling": "attention"},
    "residual, separable": {"separable": True},
    "residual, bands": {"bands": True},
    "residual, branch over time": {"temporal": 16},
    "temporal": {"shape": "temporal"},
    "light_sernet": {"shape": "light_sernet"},
    "crnn": {"shape": "crnn"},
    "lstm": {"shape": "lstm"},
}


def small(choices, windows=WINDOWS, epochs=3, seed=1):
    keras.utils.set_random_seed(seed)
    n_features = windows.shape[2]
    settings = NetworkSettings(width=16, **{"temporal": 0, **choices})
    network = build_network(settings, N_FRAMES, n_features, 3, n_pitch=n_features - 40)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(optimizer=keras.optimizers.Adam(3e-3), loss=loss)
    network.fit(windows, TRUTH, batch_size=20, epochs=epochs, verbose=0)
    return network


def answers_on_the_device(flatbuffer, windows):
    interpreter, _ = build_interpreter(flatbuffer, Runtime.LITERT, 1)
    given, taken = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    answers = []
    for window in windows:
        scale, zero = given["quantization"]
        quantised = np.clip(np.rint(window / scale) + zero, -128, 127).astype(np.int8)
        interpreter.set_tensor(given["index"], quantised[None])
        interpreter.invoke()
        answers.append(interpreter.get_tensor(taken["index"])[0].argmax())
    return np.array(answers)


@pytest.mark.slow
@pytest.mark.parametrize("choices", NETWORKS.values(), ids=NETWORKS)
def test_network_when_quantised_then_all_integer_without_a_loop_and_the_answers_stay(choices):
    network = small(choices)
    flatbuffer = quantize(network, WINDOWS)

    check_integer(flatbuffer)
    assert "WHILE" not in operator_counts(flatbuffer)
    expected = network.predict(WINDOWS, verbose=0).argmax(axis=1)
    assert np.mean(answers_on_the_device(flatbuffer, WINDOWS) == expected) >= 0.9


def test_residual_network_when_pitch_stands_behind_the_cepstra_then_it_hears_it_on_the_device_too():
    """The cepstra say nothing of the label here, so whoever answers right has heard the pitch."""
    windows = np.random.default_rng(5).standard_normal((60, N_FRAMES, 42)).astype(np.float32)
    windows[:, :, :40] *= 0.1
    windows[:, :, 40] += 3.0 * (TRUTH[:, None] - 1)
    network = small({}, windows, epochs=6)
    flatbuffer = quantize(network, windows)
    flat = windows.copy()
    flat[:, :, 40:] = 0.0

    check_integer(flatbuffer)
    answers = answers_on_the_device(flatbuffer, windows)
    assert np.mean(answers == network.predict(windows, verbose=0).argmax(axis=1)) >= 0.9
    assert np.mean(answers == TRUTH) >= 0.5
    assert np.mean(answers_on_the_device(flatbuffer, flat) == TRUTH) <= 0.4


@pytest.mark.parametrize("seed", [2, 3])
def test_lstm_when_quantised_then_every_gate_has_a_product_of_its_own_and_nothing_is_left_in_float(seed):
    """With these seeds, a split of one product for all gates stayed in float."""
    flatbuffer = quantize(small({"shape": "lstm"}, seed=seed), WINDOWS)

    check_integer(flatbuffer)
    assert "SPLIT" not in operator_counts(flatbuffer)


def test_light_sernet_when_of_the_papers_width_then_of_the_papers_size():
    network = build_network(NetworkSettings(shape="light_sernet"), 256, 40, 4)

    assert network.count_params() == pytest.approx(463_000, rel=0.01)


def test_multiply_accumulates_when_recurrent_then_every_step_counts():
    window = keras.Input((7, 5))
    network = keras.Model(window, keras.layers.LSTM(4)(window))

    # The first has no state yet: none is multiplied there, and its gate that forgets is not worked out.
    assert multiply_accumulates(quantize(network, WINDOWS[:, :7, :5])) == (7 * 5 + 6 * 4) * 16 - 5 * 4


def test_multiply_accumulates_when_a_convolution_is_separable_then_both_of_its_parts_count():
    window = keras.Input((8, 6))
    x = keras.layers.Reshape((8, 6, 1))(window)
    x = keras.layers.SeparableConv2D(5, 3, padding="same", depth_multiplier=2)(x)
    network = keras.Model(window, keras.layers.GlobalAveragePooling2D()(x))

    assert multiply_accumulates(quantize(network, WINDOWS[:, :8, :6])) == 8 * 6 * 2 * 9 + 8 * 6 * 2 * 5
