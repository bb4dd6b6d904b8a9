import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edge.inference.leaning import Leaning, LeaningPrior, answer_of, is_possible, upright
from edge.inference.reference import MEMORY_TURNS

PRIOR = LeaningPrior(
    usual=(0.2, -0.1, -0.1),
    neutral=(-1.0, 2.0, -1.0),
    voice_variance=0.5,
    turn_variance=1.0,
    neutral_voice_variance=0.4,
    neutral_turn_variance=0.2,
    neutral_covariance=0.3,
)
answers = arrays(np.float64, 3, elements=st.floats(-8, 8, allow_subnormal=False))
probabilities = arrays(np.float64, 3, elements=st.floats(0.01, 1.0)).map(lambda x: x / x.sum())


def heard(*turns, prior=PRIOR):
    leaning = Leaning(prior)
    for answer in turns:
        leaning.learn(np.asarray(answer, np.float64))
    return leaning


@given(probabilities)
def test_answer_when_taken_then_is_logarithms_about_zero(shares):
    answer = answer_of(shares)

    assert answer.sum() == pytest.approx(0.0, abs=1e-9)
    np.testing.assert_allclose(answer - answer[0], np.log(shares) - np.log(shares[0]), atol=1e-9)


def test_answer_when_a_label_is_impossible_then_still_a_number():
    assert np.isfinite(answer_of(np.array([1.0, 0.0, 0.0]))).all()


def test_leaning_when_nothing_was_heard_then_none():
    np.testing.assert_array_equal(Leaning(PRIOR).estimate(), 0.0)


def test_leaning_when_one_turn_was_heard_then_the_posterior_mean():
    """Voices 0.5 about no leaning, one observation of variance 1: a third of the way."""
    np.testing.assert_allclose(heard([3.2, -0.1, -3.1]).estimate(), [1.0, 0.0, -1.0])


@given(answers, st.integers(1, MEMORY_TURNS - 1))
def test_leaning_when_more_turns_were_heard_then_it_is_trusted_more(answer, n):
    before, after = (heard(*[answer] * turns).estimate() for turns in (n, n + 1))

    assert (np.abs(after) >= np.abs(before)).all()
    assert (np.abs(after) <= np.abs(answer - PRIOR.usual) + 1e-9).all()


@given(st.lists(answers, min_size=1, max_size=10), st.randoms())
def test_leaning_when_few_turns_were_heard_then_their_order_does_not_matter(history, random):
    shuffled = random.sample(history, len(history))

    np.testing.assert_allclose(heard(*history).estimate(), heard(*shuffled).estimate(), atol=1e-9)


def test_leaning_when_the_voice_changes_then_old_turns_fade():
    long_ago = heard(*[[5.0, 0.0, -5.0]] * 1_000, *[[0.0, 0.0, 0.0]] * (4 * MEMORY_TURNS))

    assert np.abs(long_ago.estimate()).max() < 0.4


@given(answers, st.integers(1, 20))
def test_leaning_when_every_turn_sounds_the_same_then_what_is_likeliest_stays_so(answer, n):
    """It takes off less than the whole mean, so a speaker who is always neutral goes on being neutral."""
    prior = msgspec.structs.replace(PRIOR, usual=(0.0, 0.0, 0.0))
    answer = answer - answer.mean()
    shares = np.exp(answer) / np.exp(answer).sum()
    left = upright(shares, heard(*[answer_of(shares)] * n, prior=prior).estimate())

    assert left[shares.argmax()] >= left.max() - 1e-9
    assert left.max() <= shares.max() + 1e-9


def test_leaning_when_enrolled_then_neutral_turns_say_as_much_as_they_vary_with_it():
    leaning = Leaning(PRIOR)
    leaning.enrol([np.array([0.0, 2.0, -2.0])] * 2)

    # Covariance 0.3 over variance 0.4 + 0.2 / 2, of what is unusual about these neutral turns.
    np.testing.assert_allclose(leaning.estimate(), np.array([1.0, 0.0, -1.0]) * 0.6)
    leaning.enrol([])
    np.testing.assert_array_equal(leaning.estimate(), 0.0)


def test_leaning_when_enrolled_then_turns_move_it_on_from_there():
    leaning = heard([2.2, -0.1, -2.1])
    leaning.enrol([np.array([0.0, 2.0, -2.0])] * 2)

    # What the enrolment leaves open: 0.5 - 0.3^2 / 0.5; a turn of 2.0 against the 0.6 that it expected.
    doubt = 0.5 - 0.3**2 / 0.5
    assert leaning.estimate()[0] == pytest.approx(0.6 + doubt / (doubt + 1.0) * (2.0 - 0.6))


def test_leaning_when_reset_then_turns_are_forgotten_and_the_enrolment_is_not():
    leaning, enrolled = heard([5.0, 0.0, -5.0]), Leaning(PRIOR)
    for one in (leaning, enrolled):
        one.enrol([np.array([0.0, 2.0, -2.0])])
    leaning.reset()

    np.testing.assert_array_equal(leaning.estimate(), enrolled.estimate())


@given(probabilities, answers)
def test_probabilities_when_upright_then_odds_are_less_the_leaning_and_they_add_up(shares, leaning):
    left = upright(shares, leaning)

    assert left.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(
        np.log(left / left[0]), np.log(shares / shares[0]) - (leaning - leaning[0]), atol=1e-6
    )


@given(probabilities)
def test_probabilities_when_there_is_no_leaning_then_exactly_the_same(shares):
    np.testing.assert_array_equal(upright(shares, np.zeros(3)), shares)


@pytest.mark.parametrize(
    "changes",
    [
        {"voice_variance": -1.0},
        {"turn_variance": 0.0},
        {"neutral_voice_variance": -0.1},
        {"neutral_turn_variance": 0.0},
    ],
)
def test_prior_when_its_variances_cannot_be_then_is_impossible(changes):
    assert is_possible(PRIOR)
    assert not is_possible(msgspec.structs.replace(PRIOR, **changes))
