import numpy as np
import pytest
from voices import examples

from edge.inference.leaning import LeaningPrior
from training.adaptation import TURNS, share_with, voices
from training.features import Example
from training.reference_prior import reference_prior

PARTS = examples(speakers=3, takes=4)
PRIOR = reference_prior(PARTS)


LEANING = LeaningPrior(
    usual=(0.0, 0.0),
    neutral=(0.0, 0.0),
    voice_variance=0.5,
    turn_variance=1.0,
    neutral_voice_variance=0.5,
    neutral_turn_variance=0.5,
    neutral_covariance=0.4,
)


def known(parts, form, turns):
    """The answers say what the frames say: their first coefficient."""
    answers = [np.array([1.0, -1.0]) * e.frames[:, 0].mean() for e in parts]
    return voices(parts, answers, (PRIOR, LEANING), form, turns)


def points(parts, form, turns):
    """What is known of each voice: where its turns are seen from, and its leaning."""
    blank = np.zeros((1, len(PRIOR.voice_variance)), np.float32)
    return np.array([[*v.relative(blank)[0], *v.leaning] for v in known(parts, form, turns)])


@pytest.mark.parametrize("form", TURNS)
def test_voices_when_no_clip_came_before_then_nothing_is_known(form):
    assert {v.strength for v in known(PARTS, form, 0)} == {0.0}


@pytest.mark.parametrize("form", TURNS)
@pytest.mark.parametrize("i", [1, 7, 22])  # neutral ones
def test_voices_when_a_clip_changes_then_its_own_reference_does_not(form, i):
    changed = [Example(e.clip, e.frames + 50.0) if j == i else e for j, e in enumerate(PARTS)]

    np.testing.assert_array_equal(points(changed, form, 10)[i], points(PARTS, form, 10)[i])
    assert np.abs(points(changed, form, 10) - points(PARTS, form, 10)).max() > 0.1


@pytest.mark.parametrize("form", TURNS)
def test_voices_when_another_speaker_changes_then_none_of_mine_does(form):
    mine = np.array([e.clip.speaker == "s0" for e in PARTS])
    changed = [e if me else Example(e.clip, e.frames - 50.0) for e, me in zip(PARTS, mine, strict=True)]

    np.testing.assert_array_equal(points(changed, form, 3)[mine], points(PARTS, form, 3)[mine])


def share(parts, form, turns):
    neutral = [e.clip.emotion == "neutral" for e in parts]
    return share_with([e.clip.speaker for e in parts], neutral, form, turns)


@pytest.mark.parametrize("turns", [1, 3, 10, 30])
def test_share_when_adapting_then_that_of_the_clips_whose_voice_had_all_turns(turns):
    found = [v.turns == turns for v in known(PARTS, "adapt", turns)]

    assert share(PARTS, "adapt", turns) == pytest.approx(np.mean(found))


@pytest.mark.parametrize(("turns", "expected"), [(1, 24 / 32), (3, 24 / 32), (4, 16 / 32), (5, 0.0)])
def test_share_when_enrolling_then_a_neutral_clip_is_none_of_its_own(turns, expected):
    # Four takes of three emotions by each speaker, but the third has no neutral one.
    parts = [e for e in PARTS if e.clip.speaker != "s2" or e.clip.emotion != "neutral"]

    assert share(parts, "enrol", turns) == expected


def test_voices_when_adapting_then_only_earlier_clips_count():
    heard = [v.turns for v in known(PARTS, "adapt", 30)]

    # One speaker's twelve clips come one after the other: the first has none before it, the last eleven.
    assert sorted(heard) == sorted(list(range(12)) * 3)


def test_voices_when_the_clips_come_in_another_order_then_the_same():
    shuffled = np.random.default_rng(1).permutation(len(PARTS))

    np.testing.assert_array_equal(
        points([PARTS[i] for i in shuffled], "adapt", 3), points(PARTS, "adapt", 3)[shuffled]
    )


def test_voices_when_enrolling_then_only_neutral_clips_count():
    loud = [Example(e.clip, e.frames + 50.0) if e.clip.emotion != "neutral" else e for e in PARTS]

    np.testing.assert_array_equal(points(loud, "enrol", 3), points(PARTS, "enrol", 3))
