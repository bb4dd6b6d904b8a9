import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edge.inference.reference import MEMORY_TURNS, ReferencePrior, VoiceReference

PRIOR = ReferencePrior(
    voice_variance=(4.0, 1.0, 0.0),
    turn_variance=(1.0, 1.0, 1.0),
    neutral_offset=(-1.0, 0.0, 0.5),
    neutral_variance=(0.5, 0.5, 0.5),
    neutral_turn_variance=(1.0, 1.0, 1.0),
)
means = arrays(np.float64, 3, elements=st.floats(-50, 50, allow_subnormal=False))
turns = arrays(np.float32, (12, 3), elements=st.floats(-50, 50, width=32, allow_subnormal=False))


def heard(*turn_means):
    reference = VoiceReference(PRIOR)
    for mean in turn_means:
        reference.learn(np.asarray(mean, np.float64))
    return reference


@given(turns)
def test_reference_when_nothing_was_heard_then_a_turn_is_relative_to_itself(frames):
    reference = VoiceReference(PRIOR)

    np.testing.assert_allclose(reference.relative(frames).mean(axis=0), 0.0, atol=1e-4)
    assert (reference.strength, reference.turns) == (0.0, 0)


@given(st.lists(means, min_size=1, max_size=5), turns, means)
def test_reference_when_a_microphone_colours_all_then_the_same_frames(history, frames, colour):
    plain = heard(*history).relative(frames)
    coloured = heard(*(mean + colour for mean in history)).relative(frames + colour.astype(np.float32))

    np.testing.assert_allclose(coloured, plain, atol=1e-3)


def test_reference_when_one_turn_was_heard_then_the_point_is_the_posterior_mean():
    """voice 4 about the turn's own mean, one observation of variance 1: four fifths of the way."""
    point = heard([10.0, 10.0, 10.0]).point(np.zeros(3))

    np.testing.assert_allclose(point, [8.0, 5.0, 0.0])


@given(means, means, st.integers(1, MEMORY_TURNS - 1))
def test_reference_when_more_turns_were_heard_then_it_trusts_them_more(voice, turn, n):
    before, after = heard(*[voice] * n), heard(*[voice] * (n + 1))

    assert after.strength > before.strength
    assert (np.abs(after.point(turn) - voice) <= np.abs(before.point(turn) - voice) + 1e-9).all()


@given(st.lists(means, min_size=1, max_size=10), st.randoms())
def test_reference_when_few_turns_were_heard_then_their_order_does_not_matter(history, random):
    shuffled = random.sample(history, len(history))

    np.testing.assert_allclose(
        heard(*history).point(np.zeros(3)), heard(*shuffled).point(np.zeros(3)), atol=1e-9
    )


def test_reference_when_the_room_changes_then_old_turns_fade():
    long_ago = heard(*[[0.0] * 3] * 1_000, *[[10.0] * 3] * (3 * MEMORY_TURNS))

    assert long_ago.point(np.full(3, 10.0))[0] == pytest.approx(10.0, abs=0.6)
    assert long_ago.strength < 1.0


def test_reference_when_enrolled_with_neutral_turns_then_their_offset_is_taken_off():
    reference = VoiceReference(PRIOR)
    reference.enrol([np.array([4.0, 4.0, 4.0])] * 2)

    # Variance 0.5 + 1/2 of the estimate 5.0, and 4 of voices about the turn's own mean.
    assert reference.point(np.zeros(3))[0] == pytest.approx(5.0 * 4.0 / 5.0)
    reference.enrol([])
    assert reference.strength == 0.0


def test_reference_when_reset_then_turns_are_forgotten_and_the_enrolment_is_not():
    reference = heard([5.0, 5.0, 5.0])
    reference.enrol([np.zeros(3)])
    enrolled = VoiceReference(PRIOR)
    enrolled.enrol([np.zeros(3)])
    reference.reset()

    assert reference.turns == 0
    np.testing.assert_array_equal(reference.point(np.ones(3)), enrolled.point(np.ones(3)))


def test_reference_when_a_turn_is_judged_then_it_is_not_learnt():
    reference = heard([1.0, 2.0, 3.0])
    before = reference.point(np.zeros(3))
    reference.relative(np.full((5, 3), 99.0, np.float32))

    np.testing.assert_array_equal(reference.point(np.zeros(3)), before)
