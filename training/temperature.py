"""Temperature scaling: dividing the logits so that confidences match frequencies; Guo et al., 2017.

A few validation speakers do not stand for people in general. How far to trust a temperature that is fitted on
them is therefore tested on themselves: each is left out once, and the temperature is fitted on the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.inference.model import mean_probabilities

Floats = NDArray[np.floating[Any]]

_LOG_CANDIDATES = np.linspace(np.log(0.25), np.log(4.0), 81)
_BELIEFS = np.linspace(0.0, 1.0, 11)
_LEAST = 1e-12


def temperature(
    logits: Sequence[Floats], truth: NDArray[np.integer[Any]], speakers: Sequence[str], weights: Floats
) -> float:
    """The temperature for new speakers: between 1 and the one that makes the labels of these clips likeliest.

    How far it moves from 1, on a logarithmic scale, is what gives speakers who are left out of the fit the
    lowest mean loss. A single speaker says nothing about others, so the result is then 1.

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

    def cost(belief: float) -> float:
        pairs = zip(left_out, of_others, strict=True)
        return float(np.mean([losses[mine, _nearest(belief * best)].mean() for mine, best in pairs]))

    return float(np.exp(min(_BELIEFS, key=cost) * _best(losses, weights)))


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
