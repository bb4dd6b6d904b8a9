"""Calibration of the confidences, and accuracy against coverage when uncertain answers are withheld."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.fold import FoldResult

Values = NDArray[np.float64]

_BINS = 15
_THRESHOLDS = np.linspace(0.0, 0.95, 20)


def calibration(results: Sequence[FoldResult]) -> dict[str, Any]:
    """Temperatures, expected calibration error before and after them, reliability, and risk against coverage.

    All corpora have equal weight, whatever their size, as in the protocol's mean over corpora.
    """
    probabilities = np.concatenate([np.array(r.int8_probabilities) for r in results])
    confidence = probabilities.max(axis=1)
    raw = np.concatenate([np.array(r.int8_raw_confidences) for r in results])
    truth = np.concatenate([r.truth for r in results])
    right = (probabilities.argmax(axis=1) == truth).astype(np.float64)
    weights = _corpus_weights([c for r in results for c in r.corpora])
    return {
        "temperatures": [round(r.temperature, 4) for r in results],
        "ece_before": round(expected_calibration_error(raw, right, weights), 4),
        "ece_after": round(expected_calibration_error(confidence, right, weights), 4),
        "bins": _bins(confidence, right, weights),
        "risk_coverage": [_risk(confidence, right, weights, threshold) for threshold in _THRESHOLDS],
    }


def expected_calibration_error(confidence: Values, right: Values, weights: Values) -> float:
    """Mean distance of confidence from accuracy over bins of equal width; Guo et al., 2017.

    Args:
        confidence: of each answer, 0 to 1, shape (n,).
        right: 1 where the answer is right, else 0, shape (n,).
        weights: how much each answer counts, shape (n,).
    """
    rows = _bins(confidence, right, weights)
    return float(sum(row["share"] * abs(row["confidence"] - row["accuracy"]) for row in rows))


def _bins(confidence: Values, right: Values, weights: Values) -> list[dict[str, float]]:
    place = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    rows = []
    for i in np.unique(place[weights > 0.0]):
        inside = weights * (place == i)
        rows.append(
            {
                "confidence": round(float(inside @ confidence / inside.sum()), 4),
                "accuracy": round(float(inside @ right / inside.sum()), 4),
                "share": round(float(inside.sum() / weights.sum()), 4),
            }
        )
    return rows


def _risk(confidence: Values, right: Values, weights: Values, threshold: float) -> dict[str, float | None]:
    answered = weights * (confidence >= threshold)
    total = float(answered.sum())
    return {
        "threshold": round(float(threshold), 2),
        "coverage": round(total / float(weights.sum()), 4),
        "accuracy": round(float(answered @ right) / total, 4) if total else None,
    }


def _corpus_weights(corpora: Sequence[str]) -> Values:
    names, place, counts = np.unique(np.array(corpora), return_inverse=True, return_counts=True)
    return np.asarray(1.0 / counts[place] / len(names))
