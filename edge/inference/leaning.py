"""What a voice is taken for beyond what it expresses: one that sounds sad every time is not always sad.

Every voice that a model has not learned from shifts its answers, on the logarithmic scale roughly by the
same amount from turn to turn: the voice's leaning. The mean answer over its turns shows it, and it is taken
off. How much of that mean is leaning and how much was expressed is the answer of empirical Bayes for a normal
mean (Efron and Morris, "Stein's estimation rule and its competitors", 1973), from variances that training
found. Turns that are known to be neutral say it sooner, but only of themselves; how far it holds for the
others is their covariance over their variance, the linear regression of one on the other.

An answer here is the logarithm of a turn's calibrated probabilities less its mean over the labels,
(n_labels,), of the turn as it sounds by itself: of a voice that was never heard.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.inference.reference import MEMORY_TURNS

Vector = NDArray[np.floating]

LEAST_PROBABILITY = 1e-4
"""Probability below which an answer says no more"""


class LeaningPrior(msgspec.Struct, frozen=True, kw_only=True):
    """What training tells of the answers to voices that it has not heard; in the card.

    The variances are means over the labels.
    """

    usual: tuple[float, ...]
    """Mean answer to such voices, every label equally often"""

    neutral: tuple[float, ...]
    """Likewise, to their neutral turns"""

    voice_variance: float
    """Between the voices, of their leaning"""

    turn_variance: float
    """Within a voice, of an answer about the voice's mean"""

    neutral_voice_variance: float
    """Between the voices, of their mean answer to neutral turns"""

    neutral_turn_variance: float
    """Within a voice, of an answer to a neutral turn about the mean of such answers"""

    neutral_covariance: float
    """Between the voices, of that mean and the leaning"""


def leaning_numbers(prior: LeaningPrior) -> tuple[float, ...]:
    """Every number in it."""
    variances = (
        prior.voice_variance,
        prior.turn_variance,
        prior.neutral_voice_variance,
        prior.neutral_turn_variance,
        prior.neutral_covariance,
    )
    return (*prior.usual, *prior.neutral, *variances)


def is_possible(prior: LeaningPrior) -> bool:
    """Whether its variances can be some."""
    between = (prior.voice_variance, prior.neutral_voice_variance)
    return min(between) >= 0.0 and min(prior.turn_variance, prior.neutral_turn_variance) > 0.0


def answer_of(probabilities: Vector) -> NDArray[np.float64]:
    """The answer (n_labels,) that calibrated probabilities (n_labels,) are."""
    logarithms = np.log(np.maximum(probabilities, LEAST_PROBABILITY))
    return np.asarray(logarithms - logarithms.mean(), np.float64)


def upright(probabilities: Vector, leaning: Vector) -> NDArray[np.float64]:
    """Probabilities (n_labels,) of a turn less its voice's leaning, which is on the scale of answers."""
    if not leaning.any():
        return np.asarray(probabilities, np.float64)
    logarithms = np.log(np.maximum(probabilities, LEAST_PROBABILITY)) - leaning
    shares = np.exp(logarithms - logarithms.max())
    return np.asarray(shares / shares.sum(), np.float64)


class Leaning:
    """The leaning of one voice; learns from its turns without knowing what they express."""

    def __init__(self, prior: LeaningPrior) -> None:
        self._prior = prior
        self._usual = np.asarray(prior.usual)
        self._neutral = np.asarray(prior.neutral)
        self.enrol([])
        self.reset()

    def reset(self) -> None:
        """Forget the turns heard; what was enrolled stays."""
        self._weight = 0.0
        self._mean = np.zeros_like(self._usual)

    def learn(self, answer: Vector) -> None:
        """Hear one more turn, by its answer (n_labels,)."""
        self._weight = min(self._weight + 1.0, float(MEMORY_TURNS))
        self._mean = self._mean + (answer - self._usual - self._mean) / self._weight

    def enrol(self, neutral_answers: Sequence[Vector]) -> None:
        """Take turns that are known to be neutral, by their answers; none undoes an enrolment."""
        prior = self._prior
        self._expected = np.zeros_like(self._usual)
        self._doubt = prior.voice_variance
        if len(neutral_answers):
            of_mean = prior.neutral_voice_variance + prior.neutral_turn_variance / len(neutral_answers)
            holds = prior.neutral_covariance / of_mean
            self._expected = holds * (np.mean(neutral_answers, axis=0) - self._neutral)
            self._doubt = max(0.0, prior.voice_variance - holds * prior.neutral_covariance)

    def estimate(self) -> Vector:
        """The leaning, as far as it is known, (n_labels,): zeros of a voice that was never heard."""
        if not self._doubt or not self._weight:
            return self._expected
        trust = self._doubt / (self._doubt + self._prior.turn_variance / self._weight)
        return np.asarray(self._expected + trust * (self._mean - self._expected))
