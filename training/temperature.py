"""The temperature by which logits are divided, so that confidences become frequencies; Guo et al., 2017.

A few validation speakers are not people in general. How far the temperature that suits them is to be believed
is therefore asked of themselves: each is left out once, and the rest say what suits him.
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
    """The temperature for new speakers: between 1 and the one that makes these clips likeliest.

    As far from 1, on a logarithmic scale, as is best for a speaker who was left out while it was fitted; the
    mean over speakers counts. A single speaker says nothing of others: 1.

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
    """The logarithm of the likeliest candidate."""
    return float(_LOG_CANDIDATES[int(np.argmin(weights @ losses))])


def _nearest(log_temperature: float) -> int:
    return int(np.argmin(np.abs(_LOG_CANDIDATES - log_temperature)))
