import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, f1_score

from training.metrics import confusion, summary, uar, uar_interval


def answers(seed, n=200, labels=4, skill=0.6):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, labels, n)
    return truth, np.where(rng.uniform(size=n) < skill, truth, rng.integers(0, labels, n))


def test_metrics_when_counted_by_hand_then_the_same():
    truth = np.array([0, 0, 0, 0, 1, 1, 2, 2])
    answer = np.array([0, 0, 0, 1, 1, 2, 2, 2])
    made = summary(truth, answer, list("aabbccdd"))

    assert made["uar"] == round((3 / 4 + 1 / 2 + 1) / 3, 4)
    assert made["wa"] == 6 / 8
    # F1 of each label: 2tp / (2tp + fp + fn)
    assert made["macro_f1"] == round((6 / 7 + 2 / 4 + 4 / 5) / 3, 4)
    assert confusion(truth, answer, 3) == [[3, 1, 0], [0, 1, 1], [0, 0, 2]]


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.integers(2, 8))
def test_metrics_when_random_then_as_scikit_learn(seed, labels):
    truth, answer = answers(seed, labels=labels)

    assert uar(truth, answer) == pytest.approx(balanced_accuracy_score(truth, answer))
    table = np.array(confusion(truth, answer, labels))
    assert table.sum() == len(truth)
    assert np.trace(table) == (truth == answer).sum()


def test_metrics_when_a_label_is_never_true_then_it_does_not_count():
    truth, answer = np.array([0, 0, 1, 1]), np.array([0, 2, 1, 1])

    assert uar(truth, answer) == 0.75
    assert confusion(truth, answer, 3)[2] == [0, 0, 0]
    expected = f1_score(truth, answer, labels=[0, 1], average="macro")
    assert summary(truth, answer, ["a", "b", "c", "d"])["macro_f1"] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_uar_interval_when_bootstrapped_then_it_holds_the_point_estimate(seed):
    truth, answer = answers(seed)
    speakers = [f"s{i % 10}" for i in range(len(truth))]
    low, high = uar_interval(truth, answer, speakers, draws=200)

    assert 0 <= low < uar(truth, answer) < high <= 1
    assert (low, high) == uar_interval(truth, answer, speakers, draws=200)


def test_uar_interval_when_speakers_differ_then_wider_than_when_clips_do():
    """Ten speakers, half of them always right: what is drawn are speakers, not clips."""
    truth = np.tile([0, 1], 100)
    speakers = [f"s{i // 20}" for i in range(200)]
    by_speaker = np.where(np.repeat(np.arange(10) % 2, 20), truth, 1 - truth)
    by_clip = np.where(np.random.default_rng(0).permutation(200) % 2, truth, 1 - truth)
    widths = [np.diff(uar_interval(truth, answer, speakers, 200))[0] for answer in (by_speaker, by_clip)]

    assert widths[0] > 2 * widths[1]


def test_uar_interval_when_there_is_one_speaker_then_a_point():
    truth, answer = answers(0)

    assert uar_interval(truth, answer, ["s"] * len(truth), 10) == (uar(truth, answer),) * 2
