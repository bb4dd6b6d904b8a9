"""A network of two branches: each learns from its own error, and the mean of both is the answer."""

import keras
import msgspec
import numpy as np
import pytest
from voices import LABELS, TINY, examples

from training.base import base_for
from training.branches import heads, learner, own_errors
from training.fit import fit
from training.networks import build_network

pytestmark = pytest.mark.training

TWO = msgspec.structs.replace(TINY, network=msgspec.structs.replace(TINY.network, temporal=16), epochs=10)


def network(recipe, n_labels=3):
    keras.utils.set_random_seed(1)
    config = recipe.mfcc_config
    return build_network(recipe.network, recipe.n_frames, config.n_features, n_labels, config.n_pitch)


def windows(n=5):
    shape = (n, TINY.n_frames, TINY.mfcc_config.n_features)
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def test_learner_when_there_is_one_branch_then_it_is_the_network():
    one = network(TINY)

    assert learner(one) is one


def test_learner_when_there_are_two_then_their_mean_is_what_the_network_answers():
    two = network(TWO)
    first, second = np.split(learner(two).predict(windows(), verbose=0), 2, axis=1)

    assert np.abs(first - second).max() > 0.01
    np.testing.assert_allclose(two.predict(windows(), verbose=0), (first + second) / 2, atol=1e-5)


@pytest.mark.parametrize("bands", [False, True])
def test_heads_when_layers_within_are_dense_too_then_only_those_that_answer(bands):
    recipe = msgspec.structs.replace(TWO, network=msgspec.structs.replace(TWO.network, bands=bands))

    assert [head.units for head in heads(network(recipe, n_labels=5))] == [5, 5]


def test_own_errors_when_one_branch_is_right_then_the_other_ones_error_stays_its_own():
    targets = np.eye(3, dtype=np.float32)
    sure, unsure = 20.0 * targets, np.zeros_like(targets)
    error = np.asarray(own_errors(targets, np.concatenate([sure, unsure], axis=1)))

    np.testing.assert_allclose(error, np.log(3.0) / 2, rtol=1e-5)
    np.testing.assert_allclose(np.asarray(own_errors(targets, unsure)), np.log(3.0), rtol=1e-5)


@pytest.fixture(scope="module")
def two_branches(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    clips = examples(speakers=8, takes=2)
    return folder, fit(clips, LABELS, TWO, folder), clips


def test_fit_when_there_are_two_branches_then_each_has_learned_and_so_has_their_mean(two_branches):
    folder, info, clips = two_branches
    made = keras.models.load_model(folder / "network.keras", compile=False)
    truth = np.array([LABELS.index(example.clip.emotion) for example in clips])
    cut = [example.frames[: TWO.n_frames] - example.frames.mean(axis=0) for example in clips]
    padded = np.stack([np.pad(frames, ((0, TWO.n_frames - len(frames)), (0, 0))) for frames in cut])
    normal = (padded - np.array(info.mean, np.float32)) / np.array(info.std, np.float32)
    both = np.split(learner(made).predict(normal, verbose=0), 2, axis=1)

    for logits in (*both, made.predict(normal, verbose=0)):
        assert np.mean(logits.argmax(axis=1) == truth) > 0.6
    assert info.validation_uar > 0.6


def test_hand_over_when_there_are_two_branches_then_each_answer_is_as_before(two_branches):
    base = base_for(TWO, two_branches[0])
    longer = (*LABELS, "bored")[::-1]
    made = network(TWO, n_labels=4)
    base.hand_over(made, longer)

    known = np.split(learner(base.network).predict(windows(), verbose=0), 2, axis=1)
    answers = np.split(learner(made).predict(windows(), verbose=0), 2, axis=1)
    for before, after in zip(known, answers, strict=True):
        np.testing.assert_allclose(after[:, :0:-1], before, atol=1e-5)
