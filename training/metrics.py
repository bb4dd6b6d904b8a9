"""The metrics that a protocol reports."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, recall_score

Labels = NDArray[np.integer[Any]]


def uar(truth: Labels, answer: Labels) -> float:
    """Unweighted average recall over the labels that occur in `truth`, shapes (n,)."""
    return float(recall_score(truth, answer, labels=np.unique(truth), average="macro"))


def summary(truth: Labels, answer: Labels, speakers: list[str]) -> dict[str, Any]:
    """UAR, WA, macro-F1 and the interval of the UAR, as fractions."""
    return {
        "uar": round(uar(truth, answer), 4),
        "wa": round(float(accuracy_score(truth, answer)), 4),
        "macro_f1": round(float(f1_score(truth, answer, labels=np.unique(truth), average="macro")), 4),
        "uar_ci95": [round(bound, 4) for bound in uar_interval(truth, answer, speakers)],
    }


def uar_interval(
    truth: Labels, answer: Labels, speakers: list[str], draws: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """95 % interval of the UAR from a bootstrap over speakers: whole speakers are drawn with replacement."""
    names = sorted(set(speakers))
    rows = [np.flatnonzero(np.array(speakers) == name) for name in names]
    rng = np.random.default_rng(seed)
    drawn = [
        uar(truth[chosen], answer[chosen])
        for chosen in (
            np.concatenate([rows[i] for i in rng.integers(0, len(rows), len(rows))]) for _ in range(draws)
        )
    ]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def grouped(names: list[str], truth: Labels, answer: Labels) -> dict[str, float]:
    """UAR of each group of clips; `names` holds each clip's group, and clips without one do not count."""
    groups = np.array(names)
    return {
        name: round(uar(truth[groups == name], answer[groups == name]), 4)
        for name in sorted(set(names))
        if name
    }


def confusion(truth: Labels, answer: Labels, n_labels: int) -> list[list[int]]:
    """Counts, one row for each true label."""
    table: list[list[int]] = confusion_matrix(truth, answer, labels=np.arange(n_labels)).tolist()
    return table
