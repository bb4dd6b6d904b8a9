"""Knowledge distillation: finished networks from whose outputs another one learns, besides the labels.

The mean output of several networks says more about a window than its label does: which other emotions it
resembles, and how much (Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network", 2015).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from training.base import Base, BaseError, read_base
from training.recipe import Recipe
from training.run_folder import RunInfo

Windows = NDArray[np.float32]
Answers = NDArray[np.float32]


class Teachers:
    """An ensemble of networks with one common output."""

    def __init__(self, runs: Sequence[Base]) -> None:
        self._runs = list(runs)

    @property
    def sha256(self) -> str:
        """SHA-256 of the networks' files, one after another."""
        return " ".join(run.sha256 for run in self._runs)

    @property
    def infos(self) -> tuple[RunInfo, ...]:
        """The description of each run."""
        return tuple(run.info for run in self._runs)

    def answers(self, windows: Windows, mean: Windows, std: Windows) -> Answers:
        """Mean probabilities of the networks, each at its temperature: (n, n_labels), rows that add up to 1.

        Args:
            windows: (n, n_frames, n_features), normalised; frames of zeros pad the end of a turn.
            mean: by which they were normalised, (n_features,).
            std: likewise.
        """
        inside = windows.any(axis=2, keepdims=True)
        found = []
        for run in self._runs:
            seen = np.where(inside, (windows * std + mean - run.mean) / run.std, 0.0)
            logits = np.asarray(run.network.predict_on_batch(seen.astype(np.float32)))
            found.append(softmax(logits / run.info.temperature, axis=1))
        return np.asarray(np.mean(found, axis=0), np.float32)


def teachers_for(recipe: Recipe, labels: Sequence[str], folders: Sequence[Path]) -> Teachers | None:
    """The finished runs in these folders, for a run by this recipe to learn from; None without folders.

    Raises:
        BaseError: when a folder holds none, when the inputs or labels of one differ, when the recipe needs
            teachers but none is named, or when some are named but the recipe does not use them.
    """
    if bool(folders) != (recipe.taught > 0.0):
        raise BaseError(
            "the recipe learns from teachers (taught): name finished runs (--teachers)"
            if recipe.taught
            else "teachers are given (--teachers), but the recipe does not say how much to learn from them "
            "(taught)"
        )
    if not folders:
        return None
    runs = [read_base(folder) for folder in folders]
    for run in runs:
        theirs = (run.info.labels, run.info.recipe.n_frames, run.info.recipe.frontend)
        ours = (tuple(labels), recipe.n_frames, recipe.frontend)
        pairs = zip(("labels", "n_frames", "frontend"), theirs, ours, strict=True)
        differing = [name for name, of_run, wanted in pairs if of_run != wanted]
        if differing:
            raise BaseError(
                f"{run.folder}: does not have the same {' and '.join(differing)} as this training"
            )
    return Teachers(runs)
