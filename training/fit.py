"""Training one network from clips; resumable, and judged on speakers that it does not train on."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.inference.model import softmax
from edge.inference.windows import centred, cut_windows
from training.batches import TrainingBatches
from training.features import Example
from training.metrics import temperature, uar
from training.networks import build_network
from training.recipe import Recipe
from training.run_folder import WINDOW_HOP, write_calibration, write_card, write_comparison

Frames = NDArray[np.float32]


class TrainingError(ValueError):
    """Raised when the clips cannot support a training; the message says why."""


class RunInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a finished run says of itself, in `run.json` beside its network."""

    labels: tuple[str, ...]
    recipe: Recipe
    mean: tuple[float, ...]
    std: tuple[float, ...]
    temperature: float
    epochs: int
    """Epochs trained"""

    best_epoch: int
    validation_uar: float | None
    validation_speakers: tuple[str, ...]
    corpora: dict[str, int]
    """Training clips of each corpus"""

    licences: tuple[str, ...]


def fit(
    examples: Sequence[Example],
    labels: Sequence[str],
    recipe: Recipe,
    folder: Path,
    progress: Callable[[int, float, float | None], None] | None = None,
) -> RunInfo:
    """Train a network, and leave it in `folder` as `network.keras`, `run.json` and what the converter needs.

    A folder with a finished run is left as it is; one with an unfinished run is taken up at its last epoch.

    Args:
        examples: clips to learn from; the validation speakers are taken out of these.
        labels: the network's outputs, in order.
        recipe: how.
        folder: of this run.
        progress: called after each epoch with its number, the loss, and the UAR on the validation speakers.

    Raises:
        TrainingError: when a label has no clip, or there are not enough speakers.
    """
    finished = folder / "run.json"
    if finished.exists():
        return msgspec.json.decode(finished.read_bytes(), type=RunInfo)
    folder.mkdir(parents=True, exist_ok=True)
    speakers = validation_speakers(examples, recipe)
    write_comparison(folder, [e for e in examples if e.clip.speaker in speakers] or examples[:200], labels)
    examples = prepared(examples, recipe)
    training = [e for e in examples if e.clip.speaker not in speakers]
    validation = [e for e in examples if e.clip.speaker in speakers]
    _check(training, labels)
    keras.utils.set_random_seed(recipe.seed)
    stacked = np.concatenate([e.frames for e in training])
    mean, std = stacked.mean(axis=0), stacked.std(axis=0)
    network = build_network(recipe.network, recipe.n_frames, stacked.shape[1], len(labels))
    batches = TrainingBatches(training, labels, recipe, mean, std)
    network.compile(
        optimizer=_optimizer(recipe, len(batches)),
        loss=keras.losses.CategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    watch = _Watch(validation, labels, recipe, (mean, std), batches, folder, progress)
    network.fit(
        batches,
        epochs=recipe.epochs,
        shuffle=False,
        verbose=0,
        callbacks=[keras.callbacks.BackupAndRestore(folder / "backup", double_checkpoint=True), watch],
    )
    watch.restore_best(network)
    network.save(folder / "network.keras")
    logits = clip_logits(network, validation, mean, std, recipe.n_frames)
    truth = _truth(validation, labels)
    info = RunInfo(
        labels=tuple(labels),
        recipe=recipe,
        mean=tuple(mean.tolist()),
        std=tuple(std.tolist()),
        temperature=temperature(np.concatenate(logits), np.repeat(truth, [len(x) for x in logits]))
        if validation
        else 1.0,
        epochs=watch.epochs,
        best_epoch=watch.best_epoch,
        validation_uar=watch.best_uar if validation else None,
        validation_speakers=tuple(sorted(speakers)),
        corpora=_count(e.clip.corpus for e in training),
        licences=tuple(sorted({e.clip.licence for e in training if e.clip.licence})),
    )
    write_card(folder, labels, recipe, mean, std, info.temperature, _provenance(info))
    write_calibration(folder, training, recipe, mean, std)
    partial = finished.with_suffix(".tmp")
    partial.write_bytes(msgspec.json.format(msgspec.json.encode(info), indent=1))
    partial.replace(finished)
    return info


def validation_speakers(examples: Sequence[Example], recipe: Recipe) -> set[str]:
    """Speakers to take out of training, drawn by the recipe's seed.

    A speaker with more than a twentieth of all clips is not drawn: too much would be lost to train on.

    Raises:
        TrainingError: when fewer than two speakers would be left to train on.
    """
    speakers = sorted({e.clip.speaker for e in examples})
    if len(speakers) < recipe.validation_speakers + 2:
        raise TrainingError(
            f"{len(speakers)} speaker(s) cannot give {recipe.validation_speakers} for validation and two to "
            "train on: add speakers, or lower validation_speakers in the recipe (0 trains without validation)"
        )
    shares = _count(e.clip.speaker for e in examples)
    small = [speaker for speaker in speakers if shares[speaker] <= max(len(examples) / 20, 1)]
    if len(small) >= recipe.validation_speakers:
        speakers = small
    rng = np.random.default_rng(recipe.seed)
    return {speakers[i] for i in rng.permutation(len(speakers))[: recipe.validation_speakers]}


def prepared(examples: Sequence[Example], recipe: Recipe) -> list[Example]:
    """The examples with their frames as the recipe wants them."""
    if not recipe.centred:
        return list(examples)
    return [Example(e.clip, centred(e.frames)) for e in examples]


def clip_logits(
    network: Any, examples: Sequence[Example], mean: Frames, std: Frames, n_frames: int
) -> list[Frames]:
    """Logits of the windows of each prepared clip, (windows, n_labels) each, by the float network."""
    if not examples:
        return []
    windows = [cut_windows((e.frames - mean) / std, n_frames, WINDOW_HOP) for e in examples]
    ends = np.cumsum([len(w) for w in windows])
    logits = np.asarray(network.predict(np.concatenate(windows), batch_size=128, verbose=0))
    return np.split(logits, ends[:-1])


def clip_answers(logits: Sequence[Frames], temperature_: float) -> NDArray[np.integer[Any]]:
    """The likeliest label of each clip, from the mean of its windows' probabilities."""
    return np.array([softmax(x / temperature_).mean(axis=0).argmax() for x in logits])


class _Watch(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no types
    """After each epoch: the UAR on the validation speakers, the best weights, an early end."""

    def __init__(
        self,
        validation: Sequence[Example],
        labels: Sequence[str],
        recipe: Recipe,
        normalisation: tuple[Frames, Frames],
        batches: TrainingBatches,
        folder: Path,
        progress: Callable[[int, float, float | None], None] | None,
    ) -> None:
        super().__init__()
        self._validation = validation
        self._truth = _truth(validation, labels)
        self._recipe = recipe
        self._normalisation = normalisation
        self._batches = batches
        self._best = folder / "best.weights.h5"
        self._state = folder / "best.json"
        self._progress = progress
        self.epochs, self.best_epoch, self.best_uar = 0, 0, -1.0
        if self._state.exists():
            self.best_epoch, self.best_uar = msgspec.json.decode(
                self._state.read_bytes(), type=tuple[int, float]
            )

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002  # Keras passes it
        self._batches.start_epoch(epoch)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.epochs = epoch + 1
        score = None
        if self._validation:
            mean, std = self._normalisation
            logits = clip_logits(self.model, self._validation, mean, std, self._recipe.n_frames)
            score = uar(self._truth, clip_answers(logits, 1.0))
            if score >= self.best_uar:
                self.best_epoch, self.best_uar = epoch + 1, score
                self.model.save_weights(self._best)
                self._state.write_bytes(msgspec.json.encode((self.best_epoch, self.best_uar)))
        if self._progress:
            self._progress(epoch + 1, float((logs or {}).get("loss", float("nan"))), score)
        if self._recipe.patience and epoch + 1 - self.best_epoch >= self._recipe.patience:
            self.model.stop_training = True

    def restore_best(self, network: Any) -> None:
        """Put the best epoch's weights back; without validation the last ones stay."""
        if self._best.exists():
            network.load_weights(self._best)
        else:
            self.best_epoch = self.epochs


def _optimizer(recipe: Recipe, steps: int) -> Any:
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0,
        steps * max(1, recipe.epochs - 3),
        alpha=0.01,
        warmup_target=recipe.learning_rate,
        warmup_steps=steps * 3,
    )
    return keras.optimizers.AdamW(
        schedule,
        weight_decay=recipe.weight_decay,
        clipnorm=1.0,
    )


def _check(training: Sequence[Example], labels: Sequence[str]) -> None:
    counts = _count(e.clip.emotion for e in training)
    missing = [label for label in labels if not counts.get(label)]
    if missing:
        raise TrainingError(f"no training clip for {', '.join(missing)}: add clips, or leave the label out")


def _provenance(info: RunInfo) -> dict[str, Any]:
    return {
        "training_clips": info.corpora,
        "licences": list(info.licences),
        "validation_speakers": list(info.validation_speakers),
        "validation_uar": info.validation_uar,
        "epochs": info.best_epoch,
        "recipe": msgspec.to_builtins(info.recipe),
    }


def _truth(examples: Sequence[Example], labels: Sequence[str]) -> NDArray[np.integer[Any]]:
    return np.array([labels.index(e.clip.emotion) for e in examples], dtype=np.int64)


def _count(names: Any) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return counts


def limit_threads(n: int) -> None:
    """Use `n` cores for what follows; must be called before the first network is built."""
    for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ[name] = str(n)
