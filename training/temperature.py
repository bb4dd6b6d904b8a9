"""Temperature scaling: dividing the logits so that confidences match frequencies; Guo et al., 2017.

A few validation speakers do not stand for people in general. How far to trust a temperature that is fitted on
them, and whether at all, is therefore tested on themselves: each is left out once, and the temperature is
fitted on the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from edge.inference.model import mean_probabilities

Floats = NDArray[np.floating[Any]]

_LOG_CANDIDATES = np.linspace(np.log(0.25), np.log(4.0), 81)
_BELIEFS = np.linspace(0.0, 1.0, 11)
_LEAST = 1e-12
_CHANCE = 0.05
"""Largest probability that speakers left out gain as much by chance, for a temperature other than 1"""


def temperature(
    logits: Sequence[Floats], truth: NDArray[np.integer[Any]], speakers: Sequence[str], weights: Floats
) -> float:
    """The temperature for new speakers: between 1 and the one that makes the labels of these clips likeliest.

    How far it moves from 1, on a logarithmic scale, is what gives speakers who are left out of the fit the
    lowest mean loss. It stays at 1 unless these gain by it significantly, in a one-sided t-test over the
    speakers. A single speaker says nothing about others.

    Args:
        logits: of the windows of each clip, shapes (windows, n_labels), of speakers unheard in training.
        truth: shape (clips,).
        speakers: of each clip.
        weights: how much each clip counts in the fit, shape (clips,).
    """
    if len(set(speakers)) < 2:
        return 1.0
    losses = _losses(logits, truth)
    left_out = [np.array(speakers) == name for name in sorted(set(speakers))]
    of_others = [_best(losses[~mine], weights[~mine]) for mine in left_out]

    def of_left_out(belief: float) -> NDArray[np.float64]:
        pairs = zip(left_out, of_others, strict=True)
        return np.array([losses[mine, _nearest(belief * best)].mean() for mine, best in pairs])

    belief = min(_BELIEFS, key=lambda candidate: of_left_out(candidate).mean())
    gains = of_left_out(0.0) - of_left_out(belief)
    error = gains.std(ddof=1) / np.sqrt(gains.size)
    if gains.mean() <= error * stdtrit(gains.size - 1, 1.0 - _CHANCE):
        return 1.0
    return float(np.exp(belief * _best(losses, weights)))


def _losses(logits: Sequence[Floats], truth: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
    """Negative log-likelihood of each clip's label at each candidate, (clips, candidates)."""
    given = [
        [mean_probabilities(x, candidate)[label] for candidate in np.exp(_LOG_CANDIDATES)]
        for x, label in zip(logits, truth, strict=True)
    ]
    return -np.log(np.maximum(given, _LEAST))


def _best(losses: NDArray[np.float64], weights: Floats) -> float:
    """The logarithm of the candidate with the lowest loss."""
    return float(_LOG_CANDIDATES[int(np.argmin(weights @ losses))])


def _nearest(log_temperature: float) -> int:
    return int(np.argmin(np.abs(_LOG_CANDIDATES - log_temperature)))
