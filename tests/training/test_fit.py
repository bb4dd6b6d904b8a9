import shutil

import keras
import msgspec
import numpy as np
import pytest
from voices import LABELS, TINY, examples

from edge.inference.card import decode_card
from training.errors import TrainingError, WorkbenchError
from training.fit import fit
from training.histories import Histories
from training.reference_prior import reference_prior
from training.run_folder import DamagedRunError, RunMismatchError

pytestmark = pytest.mark.training


@pytest.fixture(scope="session")
def held_out_and_not(corpus, finished_run):
    """The clips of the finished run: those of the validation speakers, and the others."""
    _, info, _ = finished_run
    held_out = set(info.validation_speakers)
    return (
        [e for e in corpus if e.clip.speaker in held_out],
        [e for e in corpus if e.clip.speaker not in held_out],
    )


def recipe(**changes):
    return msgspec.structs.replace(TINY, **changes)


def test_fit_when_done_then_it_learned_and_told_of_every_epoch(finished_run):
    _, info, told = finished_run

    assert [(done.epoch, done.epochs) for done in told] == [(epoch, 8) for epoch in range(1, 9)]
    assert told[-1].loss < told[0].loss
    assert info.validation_uar == told[-1].validation_uar > 0.6
    assert (info.epochs, info.best_epoch) == (8, 8)
    assert 0.25 <= info.temperature <= 4.0
    assert info.licences == ("CC0",)


def test_fit_when_done_then_the_converters_files_are_there_and_no_other(finished_run):
    folder, info, _ = finished_run

    assert {path.name for path in folder.iterdir()} == {
        "best.json",
        "best.weights.h5",
        "calibration.npz",
        "card.json",
        "comparison.npz",
        "network.keras",
        "run.json",
        "start.json",
    }
    card = decode_card((folder / "card.json").read_bytes())
    assert card.labels == LABELS
    assert (card.name, card.n_frames, card.reference) == ("tiny", TINY.n_frames, info.prior)
    assert card.temperature == round(info.temperature, 4)
    assert card.provenance["recipe"]["epochs"] == 8
    assert card.licence == "CC0"


def test_fit_when_done_then_the_network_is_kept_without_its_optimizer(finished_run):
    """The optimizer belongs to the backend that it was trained with, and another could not read it."""
    folder, _, _ = finished_run

    assert not keras.models.load_model(folder / "network.keras").compiled


def test_fit_when_speakers_validate_then_nothing_of_theirs_trains(finished_run, held_out_and_not):
    folder, info, _ = finished_run
    held_out, training = held_out_and_not

    assert len(info.validation_speakers) == 2
    assert info.corpora == {"ravdess": len(training)}
    assert info.prior == reference_prior(training)
    histories = Histories(training, info.prior, TINY.history)
    frames = np.concatenate([e.frames for e in histories.seen(np.random.default_rng(TINY.seed))])
    np.testing.assert_allclose(info.mean, frames.mean(axis=0), atol=1e-3)
    np.testing.assert_allclose(info.std, frames.std(axis=0), rtol=1e-3)
    with np.load(folder / "calibration.npz") as kept:
        assert set(kept["clips"].tolist()) == {e.clip.path.name for e in training}
    with np.load(folder / "comparison.npz") as kept:
        assert kept["held_out"]
        assert set(kept["clips"].tolist()) == {e.clip.path.name for e in held_out}


def test_fit_when_the_front_end_hears_pitch_then_the_card_asks_for_it(tmp_path):
    heard = recipe(frontend={"pitch": True}, epochs=1, validation_speakers=0)
    info = fit(examples(speakers=4, takes=1, config=heard.mfcc_config), LABELS, heard, tmp_path)

    card = decode_card((tmp_path / "card.json").read_bytes())
    assert card.mfcc_config.pitch
    assert len(info.mean) == len(card.std) == len(card.reference.turn_variance) == 42
    with np.load(tmp_path / "calibration.npz") as kept:
        assert kept["windows"].shape[1:] == (heard.n_frames, 42)


def test_fit_when_steps_are_given_then_they_set_the_epochs(tmp_path):
    told = []
    # 4 speakers x 3 labels x 2 takes less one speaker's for validation: 18 clips, 3 batches an epoch.
    short = recipe(steps=7, validation_speakers=1)
    info = fit(examples(speakers=4, takes=2), LABELS, short, tmp_path, told.append)

    assert info.epochs == len(told) == told[0].epochs == 3


def test_fit_when_one_speaker_may_do_then_it_is_trained_on_that_one(tmp_path):
    alone = recipe(one_speaker=True, epochs=1, validation_speakers=0)
    info = fit(examples(speakers=1), LABELS, alone, tmp_path)

    assert info.validation_speakers == ()
    with np.load(tmp_path / "comparison.npz") as kept:
        assert not kept["held_out"]
    assert info.prior.voice_variance == info.prior.turn_variance


def test_fit_when_finished_then_the_same_call_changes_nothing(finished_run, corpus):
    folder, info, _ = finished_run
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}

    assert fit(corpus, LABELS, TINY, folder, lambda *_: pytest.fail("trained again")) == info
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("fewer", "labels", "changes", "reason"),
    [
        (0, LABELS, {"seed": 1}, "recipe"),
        (0, LABELS, {"epochs": 4}, "recipe"),
        (5, LABELS, {}, "clips"),
        (0, LABELS[::-1], {}, "labels"),
    ],
)
def test_fit_when_the_folder_holds_another_run_then_refused(
    finished_run, corpus, fewer, labels, changes, reason
):
    """Else the figures of one recipe would be taken for those of another."""
    folder, _, _ = finished_run
    with pytest.raises(RunMismatchError, match=f"different {reason}; name another folder"):
        fit(corpus[fewer:], labels, recipe(**changes), folder)


def test_fit_when_patience_ends_it_then_the_best_epochs_weights_are_back(tmp_path):
    told = []
    # Steps so wild that nothing is learned after a while.
    wild = recipe(epochs=30, patience=1, learning_rate=0.5)
    info = fit(examples(speakers=4, takes=2), LABELS, wild, tmp_path, told.append)
    scores = [done.validation_uar for done in told]

    assert info.epochs == len(told) == info.best_epoch + 1 < 30
    assert info.validation_uar == max(scores) == scores[info.best_epoch - 1]


@pytest.mark.parametrize(
    ("parts", "labels", "changes", "reason"),
    [
        (examples(speakers=3), LABELS, {}, r"3 speaker\(s\) are too few: the recipe needs 2 for validation"),
        (examples(speakers=1), LABELS, {"validation_speakers": 0}, r"1 speaker\(s\)"),
        ([], LABELS, {}, "no clip could be read"),
        (examples(labels=("angry", "sad")), LABELS, {}, "no training clip for neutral"),
        (examples(), ("angry", "sad"), {}, "clips of neutral, not one of the labels"),
        (examples(labels=("angry",)), ("angry",), {}, "at least two"),
        (examples(labels=("angry",)), ("angry", "angry"), {}, "at least two"),
    ],
)
def test_fit_when_the_clips_cannot_support_it_then_one_clear_error(tmp_path, parts, labels, changes, reason):
    with pytest.raises(TrainingError, match=reason) as caught:
        fit(parts, labels, recipe(**changes), tmp_path / "run")
    assert isinstance(caught.value, WorkbenchError)
    assert caught.value.exit_code == 65


def test_fit_when_speakers_are_too_few_then_the_folder_is_left_for_others(tmp_path):
    with pytest.raises(TrainingError):
        fit(examples(speakers=3, takes=1), LABELS, TINY, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_fit_when_the_note_of_the_best_epoch_is_damaged_then_it_is_named(finished_run, corpus, tmp_path):
    """As in a run that was interrupted: it has a best epoch, and no description yet."""
    shutil.copytree(finished_run[0], tmp_path / "run")
    (tmp_path / "run" / "run.json").unlink()
    (tmp_path / "run" / "best.json").write_text("[3, ")
    with pytest.raises(
        DamagedRunError, match=r"run/best\.json: is damaged .*; remove .*run, and train it again"
    ):
        fit(corpus, LABELS, TINY, tmp_path / "run")


def test_fit_when_nobody_validates_then_patience_ends_nothing(tmp_path):
    impatient = recipe(epochs=3, patience=1, validation_speakers=0)
    info = fit(examples(speakers=2, takes=1), LABELS, impatient, tmp_path)

    assert (info.epochs, info.best_epoch) == (3, 3)


@pytest.mark.parametrize("content", [b"", b"no weights"])
def test_fit_when_the_weights_to_resume_from_are_damaged_then_they_are_named(corpus, tmp_path, content):
    def interrupt(done):
        if done.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(corpus, LABELS, TINY, tmp_path / "run", interrupt)
    (tmp_path / "run" / "latest.weights.h5").write_bytes(content)
    with pytest.raises(DamagedRunError, match=r"run/latest\.weights\.h5: is damaged .*; remove .*run, and"):
        fit(corpus, LABELS, TINY, tmp_path / "run")


@pytest.mark.parametrize("name", ["run.json", "start.json"])
@pytest.mark.parametrize("content", [b"{}", b'{"labels": ["an', b"\xff\xfe"])
def test_fit_when_a_file_of_the_folder_is_damaged_then_it_is_named(
    finished_run, corpus, tmp_path, name, content
):
    shutil.copytree(finished_run[0], tmp_path / "run")
    (tmp_path / "run" / name).write_bytes(content)
    with pytest.raises(
        DamagedRunError, match=f"run/{name}: is damaged .*; remove .*run, and train it again"
    ) as caught:
        fit(corpus, LABELS, TINY, tmp_path / "run")
    assert caught.value.exit_code == 65
