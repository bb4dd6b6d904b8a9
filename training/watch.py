"""What happens after each epoch of a training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import msgspec
import numpy as np
from numpy.typing import NDArray

from training.batches import TrainingBatches
from training.features import Example
from training.metrics import uar
from training.progress import EpochDone
from training.recipe import Recipe
from training.run_folder import DamagedRunError, read_kept, write_whole
from training.scoring import clip_answers, clip_logits, truth_of

Frames = NDArray[np.float32]


class Watch(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no types
    """After each epoch: the UAR on the validation speakers, the best weights, a backup, early stopping.

    Keras's `BackupAndRestore` writes weights and epoch one after the other, so that a run killed in between
    resumes one epoch off. Here the epoch follows from the optimizer's own count of steps.
    """

    def __init__(
        self,
        network: Any,
        validation: Sequence[Example],
        labels: Sequence[str],
        recipe: Recipe,
        normalisation: tuple[Frames, Frames],
        batches: TrainingBatches,
        folder: Path,
        progress: Callable[[EpochDone], None] | None,
    ) -> None:
        """`network` is used for scoring, and shares its weights with the model that is trained.

        Raises:
            DamagedRunError: when the file of an earlier run's best epoch cannot be read.
        """
        super().__init__()
        self._network = network
        self._validation = validation
        self._truth = truth_of(validation, labels)
        self._recipe = recipe
        self._normalisation = normalisation
        self._batches = batches
        self._best = folder / "best.weights.h5"
        self._state = folder / "best.json"
        self._backup = folder / "latest.weights.h5"
        self._progress = progress
        self.best_epoch, self.best_uar = 0, -1.0
        if self._state.exists():
            self.best_epoch, self.best_uar = read_kept(self._state, tuple[int, float])

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002  # Keras passes it
        """Seed the random draws of this epoch, independent of those before."""
        self._batches.start_epoch(epoch)
        # Dropout counts its draws, one per step, and Keras does not save the count: without this, a resumed
        # run would repeat earlier draws.
        for layer in self.model.layers:
            if isinstance(layer, keras.layers.Dropout):
                state = layer.seed_generator.state
                state.assign([int(state[0]), epoch * len(self._batches)])

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Score and save the epoch, then report it."""
        score = None
        if self._validation:
            mean, std = self._normalisation
            logits = clip_logits(self._network, self._validation, mean, std, self._recipe.n_frames)
            score = uar(self._truth, clip_answers(logits, 1.0))
            if not self._recipe.patience or score > self.best_uar:
                self.best_epoch, self.best_uar = epoch + 1, score
                self._save(self._best)
                write_whole(self._state, msgspec.json.encode((self.best_epoch, self.best_uar)))
        # After scoring, so that every epoch in a backup has been scored.
        self._save(self._backup)
        if self._progress:
            loss = float((logs or {}).get("loss", float("nan")))
            self._progress(EpochDone(epoch + 1, self._recipe.epochs, loss, score))
        if self.is_over(epoch + 1):
            self.model.stop_training = True

    def is_over(self, epochs: int) -> bool:
        """Whether training ends after this many epochs."""
        patience = self._recipe.patience if self._validation else 0
        return epochs >= self._recipe.epochs or 0 < patience <= epochs - self.best_epoch

    def take_up(self, network: Any) -> int:
        """Restore a network to where an earlier run was interrupted; returns the epochs that it has had."""
        if not self._backup.exists():
            return 0
        network.optimizer.build(network.trainable_variables)
        _load(network, self._backup)
        return self.epochs_of(network)

    def epochs_of(self, network: Any) -> int:
        """Epochs that a network has been trained for."""
        return int(network.optimizer.iterations) // len(self._batches)

    def forget(self) -> None:
        """Remove the backup of a finished run."""
        self._backup.unlink(missing_ok=True)

    def _save(self, file: Path) -> None:
        partial = file.with_name("partial.weights.h5")
        self.model.save_weights(partial)
        partial.replace(file)

    def restore_best(self, network: Any) -> None:
        """Restore the best epoch's weights; without validation the last ones stay."""
        if self._best.exists():
            _load(network, self._best)


def _load(network: Any, file: Path) -> None:
    try:
        network.load_weights(file)
    except (OSError, ValueError, KeyError) as error:
        raise DamagedRunError.of(file, error) from error
