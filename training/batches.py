"""Batches for Keras: augmented training windows, drawn again in each epoch, reproducible from the seed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from training.augment import Augmenter
from training.features import Example
from training.histories import Histories
from training.recipe import Recipe
from training.scoring import truth_of
from training.teachers import Teachers

Batch = NDArray[np.floating[Any]]


class TrainingBatches(keras.utils.PyDataset):  # type: ignore[misc]  # keras has no types
    """One epoch of augmented batches: windows, smoothed targets, and a weight that balances the labels."""

    def __init__(
        self,
        histories: Histories,
        labels: Sequence[str],
        recipe: Recipe,
        mean: Batch,
        std: Batch,
        teachers: Teachers | None = None,
    ) -> None:
        """`mean` and `std` (n_features,) normalise; the outputs of the teachers go into the targets."""
        super().__init__(workers=1)
        self._teachers = teachers
        self._histories = histories
        truth = truth_of(histories.examples, labels)
        self._shares = _shares(histories.examples, recipe)
        drawn = np.ones(len(truth)) if self._shares is None else self._shares * len(truth)
        counts = np.bincount(truth, drawn, minlength=len(labels))
        # A label without a clip has no say: its share of the smoothed targets would outweigh the balance.
        self._weights = np.where(counts, len(truth) / (np.count_nonzero(counts) * np.maximum(counts, 1)), 0.0)
        smooth = recipe.label_smoothing
        self._targets = np.eye(len(labels), dtype=np.float32)[truth] * (1 - smooth) + smooth / len(labels)
        self._recipe = recipe
        self._mean, self._std = mean, std
        self.start_epoch(0)

    def start_epoch(self, epoch: int) -> None:
        """Shuffle for an epoch, depending only on seed and epoch, so that a resumed run is like any other."""
        self._rng = np.random.default_rng([self._recipe.seed, epoch])
        n = len(self._targets)
        self._order = (
            self._rng.permutation(n) if self._shares is None else self._rng.choice(n, n, p=self._shares)
        )
        self._augmenter = Augmenter(
            self._recipe.mfcc_config,
            self._recipe.augment,
            self._recipe.n_frames,
            self._mean,
            self._std,
            self._rng,
            self._histories.speech,
        )

    def __len__(self) -> int:
        return max(1, len(self._targets) // self._recipe.batch_size)

    def __getitem__(self, index: int) -> tuple[Batch, Batch, Batch]:
        size = self._recipe.batch_size
        rows = self._order[index * size : (index + 1) * size]
        frames = [self._histories.frames(i, self._rng) for i in rows.tolist()]
        windows, targets = self._augmenter.batch(frames, self._targets[rows])
        weights = (targets @ self._weights).astype(np.float32)
        if self._teachers:
            taught = self._recipe.taught
            answers = self._teachers.answers(windows, self._mean, self._std)
            targets = (1.0 - taught) * targets + taught * answers
        return windows, targets, weights


def _shares(examples: Sequence[Example], recipe: Recipe) -> NDArray[np.float64] | None:
    """The probability of drawing each clip, shape (n,); None if every clip is drawn once."""
    if not recipe.corpus_balance and not recipe.speaker_balance:
        return None
    corpora = [e.clip.corpus for e in examples]
    speakers = [f"{e.clip.corpus} {e.clip.speaker}" for e in examples]
    _, corpus, of_corpus = np.unique(corpora, return_inverse=True, return_counts=True)
    _, speaker, of_speaker = np.unique(speakers, return_inverse=True, return_counts=True)
    within = of_speaker[speaker].astype(np.float64) ** -recipe.speaker_balance
    # The balance of speakers changes shares only within a corpus.
    within /= np.bincount(corpus, within)[corpus]
    likely = within * of_corpus[corpus] ** (1.0 - recipe.corpus_balance)
    return np.asarray(likely / likely.sum())
