"""What is said of leanings, of voices whose leanings are known."""

import msgspec
import numpy as np
import pytest
from voices import LABELS, TINY, clip, examples

from edge.inference.leaning import LeaningPrior, is_possible
from training.features import Example
from training.leaning_prior import at_temperature, leaning_prior

BLANK = np.zeros((4, TINY.mfcc_config.n_features), np.float32)
EXPRESSED = 2.0 * np.eye(len(LABELS)) - 2.0 / len(LABELS)


def clips_of(speakers, takes):
    return [Example(clip(e, s, t), BLANK) for s in range(speakers) for t in range(takes) for e in LABELS]


class Answers:
    """A network that adds a leaning of each voice, another to its neutral turns, and chance."""

    def __init__(self, leaning_std, neutral_std=0.0, turn_std=0.5):
        self._rng = np.random.default_rng(5)
        self._stds = (leaning_std, neutral_std)
        self._turn_std = turn_std

    def __call__(self, heard):
        voices = {
            e.clip.speaker: [std * self._rng.standard_normal(len(LABELS)) for std in self._stds]
            for e in heard
        }
        rows = []
        for e in heard:
            leaning, of_neutral = voices[e.clip.speaker]
            answer = EXPRESSED[LABELS.index(e.clip.emotion)] + leaning
            answer = answer + (of_neutral if e.clip.emotion == "neutral" else 0.0)
            rows.append(answer + self._turn_std * self._rng.standard_normal(len(LABELS)))
        return np.array(rows)


def prior_of(answers, speakers=200, takes=6):
    return leaning_prior(answers, clips_of(speakers, takes), LABELS, TINY.mfcc_config, seed=0)


def test_leaning_prior_when_voices_lean_then_says_by_how_much():
    prior = prior_of(Answers(leaning_std=0.7, neutral_std=0.6))

    assert prior.voice_variance == pytest.approx(0.49, rel=0.15)
    assert prior.turn_variance == pytest.approx(0.25 + EXPRESSED.var(axis=0).mean(), rel=0.1)
    assert prior.neutral_voice_variance == pytest.approx(0.49 + 0.36, rel=0.15)
    assert prior.neutral_turn_variance == pytest.approx(0.25, rel=0.1)
    assert prior.neutral_covariance == pytest.approx(0.49, rel=0.15)
    np.testing.assert_allclose(prior.usual, 0.0, atol=0.15)
    np.testing.assert_allclose(prior.neutral, EXPRESSED[LABELS.index("neutral")], atol=0.15)


def test_leaning_prior_when_no_voice_leans_then_next_to_nothing_is_taken_off():
    prior = prior_of(Answers(leaning_std=0.0))

    assert prior.voice_variance < 0.01
    assert abs(prior.neutral_covariance) < 0.01


def test_leaning_prior_when_no_label_is_neutral_then_still_says_of_the_others():
    labels = ("angry", "sad")
    some = [e for e in clips_of(40, 4) if e.clip.emotion in labels]
    prior = leaning_prior(
        lambda heard: Answers(leaning_std=0.7)(heard)[:, [0, 2]], some, labels, TINY.mfcc_config, seed=0
    )

    assert prior.voice_variance > 0.2
    assert prior.neutral_covariance == 0.0
    assert is_possible(prior)


def test_leaning_prior_when_the_clips_are_too_few_then_says_nothing():
    assert prior_of(Answers(leaning_std=0.7), speakers=8, takes=4) is None


def test_leaning_prior_when_clips_are_heard_then_with_two_other_vocal_tracts():
    heard = []
    some = examples(speakers=12, takes=3)

    def remember(changed):
        heard.append(changed)
        return Answers(leaning_std=0.1)(changed)

    leaning_prior(remember, some, LABELS, TINY.mfcc_config, seed=0)
    by_name = {e.clip.path.name: e.frames for e in some}

    assert len(heard) == 2
    for changed in heard:
        assert len(changed) == len(some)
        assert all(np.abs(e.frames - by_name[e.clip.path.name]).max() > 1.0 for e in changed)


def test_leaning_prior_when_the_temperature_is_another_then_answers_and_spreads_shrink_with_it():
    numbers = {name: 4.0 for name in LeaningPrior.__struct_fields__ if name not in ("usual", "neutral")}
    prior = LeaningPrior(usual=(2.0, -2.0), neutral=(-4.0, 4.0), **numbers)
    cooler = at_temperature(prior, 2.0)

    assert (cooler.usual, cooler.neutral) == ((1.0, -1.0), (-2.0, 2.0))
    assert {cooler.voice_variance, cooler.turn_variance, cooler.neutral_covariance} == {1.0}
    assert msgspec.structs.asdict(at_temperature(prior, 1.0)) == msgspec.structs.asdict(prior)
