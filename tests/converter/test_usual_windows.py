import keras
import numpy as np
import pytest

from converter.calibration import usual
from converter.quantize import quantize
from edge.inference.runtime import Runtime, build_interpreter

pytestmark = pytest.mark.training

N = 40


@pytest.fixture(scope="module")
def windows(network):
    rng = np.random.default_rng(5)
    made = rng.standard_normal((N, *network.input_shape[1:])).astype(np.float32)
    made[:, 0, 0] = np.arange(N) / N  # tells them apart
    return made


def test_usual_when_some_windows_are_far_out_then_they_are_those_left_out(network, windows):
    far = [3, 17, 30]
    shouted = windows.copy()
    shouted[far] *= 20.0
    kept = usual(network, shouted)

    assert len(kept) == 32
    assert np.abs(kept).max() < 20.0
    assert (np.diff(kept[:, 0, 0]) > 0.0).all()


def test_usual_when_one_layer_alone_is_far_out_then_the_window_is_left_out(windows):
    """The input looks like any other; only the first layer answers to just this pattern."""
    pattern = windows[7].ravel() / np.linalg.norm(windows[7])
    window = keras.Input(windows.shape[1:])
    hidden = keras.layers.Dense(1, use_bias=False)(keras.layers.Flatten()(window))
    network = keras.Model(window, keras.layers.Dense(2)(hidden))
    network.layers[2].set_weights([pattern[:, None]])

    assert 7 / N not in usual(network, windows)[:, 0, 0]


def test_usual_when_there_is_one_window_then_it_stays(network, windows):
    assert usual(network, windows[:1]).shape == windows[:1].shape


def test_quantize_when_a_calibration_window_is_far_out_then_the_usual_ones_give_finer_steps(network, windows):
    shouted = windows.copy()
    shouted[0] *= 20.0
    steps = [_input_step(quantize(network, given)) for given in (shouted, usual(network, shouted))]

    assert steps[1] < 0.2 * steps[0]


def _input_step(flatbuffer):
    interpreter, _ = build_interpreter(flatbuffer, Runtime.AUTO, threads=1)
    return interpreter.get_input_details()[0]["quantization"][0]
