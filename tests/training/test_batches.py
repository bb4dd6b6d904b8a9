import msgspec
import numpy as np
import pytest
from voices import LABELS, TINY, clip, examples

from training.batches import TrainingBatches
from training.features import Example
from training.histories import Histories
from training.reference_prior import reference_prior

pytestmark = pytest.mark.training

N_FEATURES = TINY.mfcc_config.n_features


def batches(parts, **changes):
    recipe = msgspec.structs.replace(TINY, **changes)
    histories = Histories(parts, reference_prior(parts), recipe.history)
    mean, std = np.zeros(N_FEATURES, np.float32), np.ones(N_FEATURES, np.float32)
    return TrainingBatches(histories, LABELS, recipe, mean, std)


def epoch_of(made, epoch):
    made.start_epoch(epoch)
    return [made[i] for i in range(len(made))]


def test_batches_when_an_epoch_is_drawn_again_then_the_same_and_another_differs():
    parts = examples(speakers=3)
    made = batches(parts)
    first, second = epoch_of(made, 0), epoch_of(made, 1)

    for a, b in zip(first, epoch_of(batches(parts), 0), strict=True):
        for x, y in zip(a, b, strict=True):
            np.testing.assert_array_equal(x, y)
    assert np.abs(first[0][0] - second[0][0]).max() > 0.1
    # Epoch 1 is the same to whoever begins with it: a run that goes on draws what it would have drawn.
    for a, b in zip(second, epoch_of(batches(parts), 1), strict=True):
        np.testing.assert_array_equal(a[0], b[0])


def test_batches_when_labels_are_uneven_then_the_weights_balance_them():
    parts = [e for e in examples(speakers=4, takes=3) if e.clip.emotion != "sad" or e.clip.speaker == "s0"]
    made = batches(parts, batch_size=len(parts), label_smoothing=0.0)
    ((_, targets, weights),) = epoch_of(made, 0)

    per_label = targets.T @ weights
    np.testing.assert_allclose(per_label, per_label[0], rtol=1e-5)
    assert weights.sum() == pytest.approx(len(parts), rel=1e-5)


def test_batches_when_a_label_has_no_clip_then_the_others_are_balanced_as_if_there_were_none_such():
    parts = [e for e in examples(speakers=40) if e.clip.emotion != "sad"]
    parts = [e for e in parts if e.clip.emotion != "angry" or e.clip.speaker < "s3"]
    made = batches(parts, batch_size=len(parts), label_smoothing=0.1)
    ((_, targets, weights),) = epoch_of(made, 0)

    answer = targets.argmax(axis=1)
    of_label = {label: weights[answer == i].sum() for i, label in enumerate(LABELS) if label != "sad"}
    np.testing.assert_allclose(list(of_label.values()), len(parts) / len(of_label), rtol=0.2)


def drawn(parts, **changes):
    """How often each label comes up, as shares."""
    made = batches(parts, batch_size=len(parts), label_smoothing=0.0, **changes)
    shares = np.mean([epoch_of(made, epoch)[0][1].mean(axis=0) for epoch in range(60)], axis=0)
    return dict(zip(LABELS, shares.tolist(), strict=True))


def of(emotion, count, speakers, corpus="tones"):
    """So many clips of an emotion, by speakers in turn."""
    frames = examples(speakers=1, takes=1)[0].frames
    return [Example(clip(emotion, speakers[i % len(speakers)], i, corpus), frames) for i in range(count)]


def test_batches_when_speakers_are_balanced_then_one_with_few_clips_is_heard_as_often_as_one_with_many():
    parts = [*of("neutral", 18, [0]), *of("angry", 2, [1])]

    assert drawn(parts)["angry"] == pytest.approx(0.1)
    assert drawn(parts, speaker_balance=0.5)["angry"] == pytest.approx(0.25, abs=0.05)
    assert drawn(parts, speaker_balance=1.0)["angry"] == pytest.approx(0.5, abs=0.05)


def test_batches_when_speakers_are_balanced_then_no_corpus_is_heard_more_often():
    parts = [*of("neutral", 10, [0], "few"), *of("angry", 10, range(10), "many")]

    assert drawn(parts, speaker_balance=1.0)["angry"] == pytest.approx(0.5, abs=0.05)


def test_batches_when_corpora_are_balanced_then_a_small_one_is_heard_as_often_as_a_large_one():
    parts = [*of("neutral", 18, [0], "large"), *of("angry", 2, [1], "small")]

    assert drawn(parts, corpus_balance=1.0)["angry"] == pytest.approx(0.5, abs=0.05)
    assert drawn(parts, corpus_balance=1.0, speaker_balance=1.0)["angry"] == pytest.approx(0.5, abs=0.05)


def test_batches_when_labels_are_smoothed_then_targets_add_up_to_1():
    ((_, targets, _),) = epoch_of(batches(examples(speakers=1, takes=1), label_smoothing=0.3), 0)

    np.testing.assert_allclose(np.sort(targets, axis=1), [[0.1, 0.1, 0.8]] * 3, atol=1e-6)


def test_batches_when_fewer_clips_than_a_batch_then_one_smaller_batch():
    made = batches(examples(speakers=1, takes=1), batch_size=32)

    assert len(made) == 1
    assert made[0][0].shape == (3, TINY.n_frames, N_FEATURES)
