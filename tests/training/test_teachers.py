"""Networks whose answers another one learns from."""

import msgspec
import numpy as np
import pytest
from voices import LABELS, TINY, examples

from edge.inference.card import decode_card
from training.base import BaseError, read_base
from training.batches import TrainingBatches
from training.fit import fit
from training.histories import Histories
from training.run_folder import RunMismatchError
from training.teachers import Teachers, teachers_for

pytestmark = pytest.mark.training

TAUGHT = msgspec.structs.replace(TINY, epochs=2, validation_speakers=0, taught=1.0)


def windows(n=4):
    made = np.random.default_rng(0).standard_normal((n, TINY.n_frames, 40)).astype(np.float32)
    made[:, 30:] = 0.0
    return made


def softmax(logits):
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


def test_answers_when_windows_are_normalised_as_the_teacher_saw_them_then_they_are_its_own(finished_run):
    run = read_base(finished_run[0])
    found = Teachers([run]).answers(windows(), run.mean, run.std)

    its_own = softmax(np.asarray(run.network.predict(windows(), verbose=0)) / run.info.temperature)
    np.testing.assert_allclose(found, its_own, atol=1e-4)


def test_answers_when_windows_are_normalised_otherwise_then_the_teacher_sees_its_own_and_zeros_stay(
    finished_run,
):
    run = read_base(finished_run[0])
    mean, std = run.mean + 1.0, run.std * 2.0
    shifted = np.where(
        windows().any(axis=2, keepdims=True), (windows() * run.std + run.mean - mean) / std, 0.0
    )
    teachers = Teachers([run])

    np.testing.assert_allclose(
        teachers.answers(shifted.astype(np.float32), mean, std),
        teachers.answers(windows(), run.mean, run.std),
        atol=1e-4,
    )


def test_answers_when_there_are_several_then_the_mean_of_them(finished_run, tmp_path):
    fit(
        examples(speakers=3, takes=1), LABELS, msgspec.structs.replace(TAUGHT, taught=0.0), tmp_path / "other"
    )
    runs = [read_base(finished_run[0]), read_base(tmp_path / "other")]
    mean, std = runs[0].mean, runs[0].std
    alone = [Teachers([run]).answers(windows(), mean, std) for run in runs]

    np.testing.assert_allclose(
        Teachers(runs).answers(windows(), mean, std), np.mean(alone, axis=0), atol=1e-5
    )
    assert np.abs(alone[0] - alone[1]).max() > 0.01


@pytest.mark.parametrize("taught", [0.25, 1.0])
def test_batches_when_there_are_teachers_then_targets_are_so_far_between_the_labels_and_their_answers(
    finished_run, taught
):
    run = read_base(finished_run[0])
    teachers = Teachers([run])
    recipe = msgspec.structs.replace(TAUGHT, taught=taught)

    def first_batch(of):
        histories = Histories(examples(), run.info.prior, recipe.history)
        return TrainingBatches(histories, LABELS, recipe, run.mean, run.std, of)[0]

    (windows, labelled, weights), (same, targets, as_before) = first_batch(None), first_batch(teachers)
    answers = teachers.answers(windows, run.mean, run.std)

    np.testing.assert_array_equal(same, windows)
    np.testing.assert_array_equal(as_before, weights)
    np.testing.assert_allclose(targets, (1.0 - taught) * labelled + taught * answers, atol=1e-6)
    assert np.abs(targets - labelled).max() > 0.05


def test_fit_when_taught_then_the_card_names_the_teachers_and_the_run_is_not_taken_up_with_others(
    finished_run, tmp_path
):
    clips = examples(speakers=3, takes=1)
    info = fit(clips, LABELS, TAUGHT, tmp_path / "run", teachers=[finished_run[0]])
    card = decode_card((tmp_path / "run" / "card.json").read_bytes())

    assert info.teachers == (finished_run[1],)
    assert card.provenance["teachers"][0]["training_clips"] == finished_run[1].corpora
    with pytest.raises(RunMismatchError, match="different teachers"):
        fit(clips, LABELS, TAUGHT, tmp_path / "run", teachers=[finished_run[0], finished_run[0]])


@pytest.mark.parametrize(
    ("recipe", "labels", "named", "reason"),
    [
        (TAUGHT, LABELS, [], "name finished runs"),
        (TINY, LABELS, ["run"], "does not say how much"),
        (TAUGHT, LABELS, ["nowhere"], "no finished run"),
        (TAUGHT, LABELS[:2], ["run"], "does not have the same labels"),
        (msgspec.structs.replace(TAUGHT, n_frames=64), LABELS, ["run"], "does not have the same n_frames"),
    ],
    ids=["none", "not asked for", "not there", "labels", "windows"],
)
def test_teachers_for_when_they_cannot_teach_then_says_why(
    finished_run, tmp_path, recipe, labels, named, reason
):
    places = {"run": finished_run[0], "nowhere": tmp_path}
    with pytest.raises(BaseError, match=reason):
        teachers_for(recipe, labels, [places[name] for name in named])


def test_teachers_for_when_none_are_asked_for_and_none_named_then_none():
    assert teachers_for(TINY, LABELS, []) is None
