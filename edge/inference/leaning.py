"""The leaning of a voice: the model's constant bias for one speaker, estimated and subtracted.

A voice that was not in the training data shifts the model's answers by roughly the same amount in every turn,
on the logarithmic scale: a voice that sounds sad in every turn is not always sad. This shift is the voice's
leaning. The mean answer over the voice's turns reveals it, and it is subtracted from every answer. Empirical
Bayes for a normal mean (Efron and Morris, "Stein's estimation rule and its competitors", 1973) decides how
much of that mean is leaning and how much was expressed, from variances that training has estimated. Turns
that are known to be neutral reveal the leaning sooner, but only that of neutral turns. How far it holds for
the other turns is a linear regression: the covariance of the two over the variance of the neutral mean.

In this module, an answer is the logarithm of a turn's calibrated probabilities less its mean over the labels,
(n_labels,). The turn is judged by itself, as if its voice had never been heard before.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.inference.reference import MEMORY_TURNS

Vector = NDArray[np.floating]

LEAST_PROBABILITY = 1e-4
"""Lower limit of a probability before its logarithm is taken"""


class LeaningPrior(msgspec.Struct, frozen=True, kw_only=True):
    """Statistics of the answers to voices outside the training data; estimated in training, kept in the card.

    The variances and the covariance are means over the labels.
    """

    usual: tuple[float, ...]
    """Mean answer to such voices, with every label equally frequent"""

    neutral: tuple[float, ...]
    """Mean answer to their neutral turns"""

    voice_variance: float
    """Between voices: variance of the leaning"""

    turn_variance: float
    """Within a voice: variance of an answer about the voice's mean answer"""

    neutral_voice_variance: float
    """Between voices: variance of the mean answer to neutral turns"""

    neutral_turn_variance: float
    """Within a voice: variance of an answer to a neutral turn about the mean of such answers"""

    neutral_covariance: float
    """Between voices: covariance of the mean answer to neutral turns with the leaning"""


def leaning_numbers(prior: LeaningPrior) -> tuple[float, ...]:
    """Every number in a prior."""
    variances = (
        prior.voice_variance,
        prior.turn_variance,
        prior.neutral_voice_variance,
        prior.neutral_turn_variance,
        prior.neutral_covariance,
    )
    return (*prior.usual, *prior.neutral, *variances)


def is_possible(prior: LeaningPrior) -> bool:
    """Whether the variances are valid: at least 0 between voices, above 0 within a voice."""
    between = (prior.voice_variance, prior.neutral_voice_variance)
    return min(between) >= 0.0 and min(prior.turn_variance, prior.neutral_turn_variance) > 0.0


def answer_of(probabilities: Vector) -> NDArray[np.float64]:
    """Calibrated probabilities (n_labels,) as an answer (n_labels,): centred logarithms."""
    logarithms = np.log(np.maximum(probabilities, LEAST_PROBABILITY))
    return np.asarray(logarithms - logarithms.mean(), np.float64)


def upright(probabilities: Vector, leaning: Vector) -> NDArray[np.float64]:
    """Probabilities (n_labels,) of a turn, with the leaning (n_labels,) subtracted on the log scale."""
    if not leaning.any():
        return np.asarray(probabilities, np.float64)
    logarithms = np.log(np.maximum(probabilities, LEAST_PROBABILITY)) - leaning
    shares = np.exp(logarithms - logarithms.max())
    return np.asarray(shares / shares.sum(), np.float64)


class Leaning:
    """The leaning of one voice, learned from its turns without knowing what they express."""

    def __init__(self, prior: LeaningPrior) -> None:
        self._prior = prior
        self._usual = np.asarray(prior.usual)
        self._neutral = np.asarray(prior.neutral)
        self.enrol([])
        self.reset()

    def reset(self) -> None:
        """Forget the turns heard, but keep the enrolment."""
        self._weight = 0.0
        self._mean = np.zeros_like(self._usual)

    def learn(self, answer: Vector) -> None:
        """Learn from one more turn, given its answer (n_labels,)."""
        self._weight = min(self._weight + 1.0, float(MEMORY_TURNS))
        self._mean = self._mean + (answer - self._usual - self._mean) / self._weight

    def enrol(self, neutral_answers: Sequence[Vector]) -> None:
        """Enrol neutral turns, given their answers; an empty list removes the enrolment."""
        prior = self._prior
        self._expected = np.zeros_like(self._usual)
        self._doubt = prior.voice_variance
        if len(neutral_answers):
            of_mean = prior.neutral_voice_variance + prior.neutral_turn_variance / len(neutral_answers)
            holds = prior.neutral_covariance / of_mean
            self._expected = holds * (np.mean(neutral_answers, axis=0) - self._neutral)
            self._doubt = max(0.0, prior.voice_variance - holds * prior.neutral_covariance)

    def estimate(self) -> Vector:
        """The estimate of the leaning, (n_labels,): zeros for a voice neither heard nor enrolled."""
        if not self._doubt or not self._weight:
            return self._expected
        trust = self._doubt / (self._doubt + self._prior.turn_variance / self._weight)
        return np.asarray(self._expected + trust * (self._mean - self._expected))
