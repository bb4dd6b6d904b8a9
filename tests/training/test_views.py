"""A network that is asked several times, as a Keras model and as an int8 file."""

import keras
import msgspec
import numpy as np
import pytest
from voices import LABELS, TINY, examples

from converter.convert import convert
from converter.operators import multiply_accumulates, operator_counts
from converter.quantize import check_integer, quantize
from edge.frontend.mfcc_config import MfccConfig
from edge.frontend.tables import dct_matrix
from training.base import base_for
from training.fit import fit
from training.histories import unheard
from training.metrics import uar
from training.networks import build_network
from training.networks.views import with_views, without_views
from training.recipe import NetworkSettings, RecipeError, load_recipe
from training.run_folder import read_info
from training.scoring import clip_answers, clip_logits, truth_of
from training.vocal_tract import stretched

pytestmark = pytest.mark.training

CONFIG = MfccConfig(pitch=True)
N_FRAMES, N_FEATURES = 48, CONFIG.n_features
STD = np.random.default_rng(1).uniform(0.5, 4.0, N_FEATURES)
VIEWS = (0.95, 1.05)
WINDOWS = np.random.default_rng(2).standard_normal((30, N_FRAMES, N_FEATURES)).astype(np.float32)


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(3)
    return build_network(NetworkSettings(width=16, temporal=8), N_FRAMES, N_FEATURES, 3, CONFIG.n_pitch)


def answers(network, windows=WINDOWS):
    return np.asarray(network.predict_on_batch(windows))


def later(windows, frames):
    """As if they had begun so many frames earlier, in silence."""
    return np.pad(windows, ((0, 0), (frames, 0), (0, 0)))[:, :N_FRAMES]


def test_views_when_there_are_none_then_the_network_itself(network):
    assert with_views(network, (), CONFIG, STD) is network
    assert without_views(network) is network


def test_views_when_one_is_as_it_is_then_the_same_answers(network):
    np.testing.assert_allclose(answers(with_views(network, (1.0,), CONFIG, STD)), answers(network), atol=1e-5)


def test_views_when_several_are_as_it_is_then_each_begins_a_frame_later_until_a_step_of_the_stem(network):
    expected = np.mean([answers(network, later(WINDOWS, frames)) for frames in (0, 1, 2, 3, 0)], axis=0)

    np.testing.assert_allclose(answers(with_views(network, (1.0,) * 5, CONFIG, STD)), expected, atol=1e-5)


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_views_when_one_is_stretched_then_as_the_same_speech_from_another_vocal_tract(network, factor):
    dct = dct_matrix(CONFIG).astype(np.float32)
    spoken = WINDOWS * STD.astype(np.float32)
    spoken[:, :, : len(dct)] = stretched(spoken[:, :, : len(dct)] @ dct.T, np.full(len(spoken), factor)) @ dct
    viewed = answers(with_views(network, (factor,), CONFIG, STD))

    np.testing.assert_allclose(viewed, answers(network, spoken / STD), atol=1e-4)
    assert np.abs(viewed - answers(network)).max() > 1e-3


def test_views_when_a_window_is_padded_then_the_padding_stays_zero(network):
    """So a short turn ends where it ends, whatever the stretch."""
    short = WINDOWS.copy()
    short[:, 20:] = 0.0
    seen = keras.Model(network.input, network.input)

    viewed = answers(with_views(_first_frames(seen), (0.9,), CONFIG, STD), short)
    assert np.abs(viewed[:, :20]).min(axis=1).max() > 0
    np.testing.assert_array_equal(viewed[:, 20:], 0.0)


def _first_frames(seen):
    """Gives the loudest value of each frame in place of logits."""
    return keras.Model(seen.input, keras.ops.max(keras.ops.absolute(seen.input), axis=2))


def test_views_when_quantised_then_all_integer_and_the_weights_stand_in_the_file_once(network):
    views = (0.97, 0.92, 1.03, 1.08)
    once, often = quantize(network, WINDOWS), quantize(with_views(network, views, CONFIG, STD), WINDOWS)

    check_integer(often)
    assert operator_counts(often)["CONV_2D"] == operator_counts(once)["CONV_2D"]
    assert len(often) < len(once) + len(views) * (N_FEATURES**2 + 3000)
    stretches = len(views) * N_FRAMES * N_FEATURES**2
    assert multiply_accumulates(often) == 4 * multiply_accumulates(once) + stretches


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Folders of two runs that differ in their views alone."""
    folder = tmp_path_factory.mktemp("runs")
    for name, views in (("once", ()), ("often", VIEWS)):
        settings = msgspec.structs.replace(TINY.network, views=views)
        recipe = msgspec.structs.replace(TINY, network=settings, epochs=3)
        fit(examples(), LABELS, recipe, folder / name)
    return folder / "once", folder / "often"


def test_fit_when_the_recipe_has_views_then_the_same_is_learned_and_their_mean_is_the_answer(runs):
    once, often = (keras.models.load_model(run / "network.keras", compile=False) for run in runs)
    windows = np.random.default_rng(0).standard_normal((9, *once.input.shape[1:])).astype(np.float32)
    info = read_info(runs[1])

    np.testing.assert_allclose(answers(without_views(often), windows), answers(once, windows), atol=1e-5)
    expected = with_views(once, VIEWS, info.recipe.mfcc_config, np.array(info.std))
    np.testing.assert_allclose(answers(often, windows), answers(expected, windows), atol=1e-5)


def test_base_for_when_its_views_are_others_then_what_was_trained_is_gone_on_from(runs):
    without, with_views_ = (read_info(run).recipe for run in runs)
    once = keras.models.load_model(runs[0] / "network.keras", compile=False)
    windows = np.random.default_rng(0).standard_normal((9, *once.input.shape[1:])).astype(np.float32)

    for recipe, run in ((without, runs[1]), (with_views_, runs[0])):
        np.testing.assert_allclose(
            answers(base_for(recipe, run).network, windows), answers(once, windows), atol=1e-5
        )


def test_fit_when_the_recipe_has_views_then_it_is_judged_with_them(runs):
    info = read_info(runs[1])
    held_out = unheard([e for e in examples() if e.clip.speaker in info.validation_speakers], info.prior)
    network = keras.models.load_model(runs[1] / "network.keras", compile=False)
    mean, std = np.array(info.mean, np.float32), np.array(info.std, np.float32)
    logits = clip_logits(network, held_out, mean, std, info.recipe.n_frames)

    assert info.validation_uar == pytest.approx(uar(truth_of(held_out, LABELS), clip_answers(logits, 1.0)))


def test_convert_when_the_recipe_has_views_then_the_device_answers_as_the_network_does(runs, tmp_path):
    made = convert(runs[1], tmp_path / "model.tflite")

    assert made.parity.agreement >= 0.9
    assert made.macs > 2 * convert(runs[0], tmp_path / "once.tflite").macs


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('[network]\nviews = [1.0]\nshape = "lstm"', "views need the residual network"),
        ("[network]\nviews = [0.1]", "views must be from 0.5 to 2.0 each"),
    ],
)
def test_recipe_when_views_make_no_sense_then_refused(tmp_path, text, why):
    (tmp_path / "recipe.toml").write_text(text)
    with pytest.raises(RecipeError, match=why):
        load_recipe(tmp_path / "recipe.toml")
