"""Training one network from clips; resumable, and judged on speakers that it does not train on."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.inference.leaning import LeaningPrior
from training.base import Base, BaseError, base_for
from training.batches import TrainingBatches
from training.branches import learner, own_errors
from training.errors import WorkbenchError
from training.features import Example
from training.histories import Histories, unheard
from training.leaning_prior import leaning_prior
from training.networks import build_network
from training.pace import Pace
from training.progress import EpochDone
from training.provenance import commit
from training.recipe import Recipe
from training.reference_prior import reference_prior
from training.run_folder import (
    RunInfo,
    claim_folder,
    is_finished,
    read_info,
    write_calibration,
    write_card,
    write_comparison,
    write_info,
)
from training.scoring import clip_logits, truth_of, unheard_answers
from training.temperature import temperature
from training.watch import Watch

Frames = NDArray[np.float32]
Weights = NDArray[np.float32]


class TrainingError(WorkbenchError):
    """Raised when the clips cannot support a training; the message says why."""


def fit(
    examples: Sequence[Example],
    labels: Sequence[str],
    recipe: Recipe,
    folder: Path,
    progress: Callable[[EpochDone], None] | None = None,
    base: Path | None = None,
    pace: Callable[[int, float], None] | None = None,
) -> RunInfo:
    """Train a network, and leave it in `folder` as `network.keras`, `run.json` and what the converter needs.

    A folder with a finished run is left as it is; one with an unfinished run is taken up at its last epoch.

    Args:
        examples: clips to learn from; the validation speakers are taken out of these.
        labels: the network's outputs, in order.
        recipe: how.
        folder: of this run.
        progress: called after each epoch.
        base: folder of a finished run to start from: its weights, normalisation and knowledge of voices.
        pace: told once of the batches that are left, and of the seconds that they will take.

    Raises:
        TrainingError: when a label has no clip, or there are not enough speakers.
        BaseError: when the run to start from cannot be used.
        RunMismatchError: when the folder holds the run of other clips, labels or choices.
    """
    begun, sources = time.monotonic(), commit()
    _check_labels(examples, labels)
    known = _known(recipe, base)
    claim_folder(folder, [e.clip for e in examples], labels, recipe, known.sha256 if known else "")
    if is_finished(folder):
        return read_info(folder)
    speakers = validation_speakers(examples, recipe)
    write_comparison(folder, [e for e in examples if e.clip.speaker in speakers] or examples[:200], labels)
    training = [e for e in examples if e.clip.speaker not in speakers]
    _check(training, [label for label in labels if known is None or label not in known.info.labels])
    recipe = recipe.for_clips(len(training))
    keras.utils.set_random_seed(recipe.seed)
    prior = known.info.prior if known else reference_prior(training)
    histories = Histories(training, prior, recipe.history)
    validation = unheard([e for e in examples if e.clip.speaker in speakers], prior)
    seen = histories.seen(np.random.default_rng(recipe.seed))
    mean, std = (known.mean, known.std) if known else _spread(seen)
    network = build_network(
        recipe.network, recipe.n_frames, len(mean), len(labels), recipe.mfcc_config.n_pitch
    )
    if known:
        known.hand_over(network, labels)
    begun_with = network.get_weights()
    batches = TrainingBatches(histories, labels, recipe, mean, std)
    watch = Watch(network, validation, labels, recipe, (mean, std), batches, folder, progress)
    epochs = _learn(learner(network), batches, watch, recipe, pace)
    network.set_weights(_between(network.get_weights(), begun_with, recipe.base_share))
    # A model of its own, as the compiled one would take along the optimizer, which belongs to its backend.
    keras.Model(network.input, network.output).save(folder / "network.keras")
    temperature_ = _fitted_temperature(network, validation, labels, recipe, (mean, std))

    def answers(clips: Sequence[Example]) -> NDArray[np.float64]:
        return unheard_answers(network, clips, prior, (mean, std), recipe.n_frames, temperature_)

    leaning = leaning_prior(answers, training, labels, recipe.mfcc_config, recipe.seed)
    info = RunInfo(
        labels=tuple(labels),
        recipe=recipe,
        mean=tuple(mean.tolist()),
        std=tuple(std.tolist()),
        prior=prior,
        temperature=temperature_,
        leaning=leaning or _leaning_of(known, labels),
        epochs=epochs,
        best_epoch=watch.best_epoch if validation else epochs,
        validation_uar=watch.best_uar if validation else None,
        validation_speakers=tuple(sorted(speakers)),
        corpora=_count(e.clip.corpus for e in training),
        licences=_licences(training, known),
        commit=sources,
        seconds=round(time.monotonic() - begun, 1),
        base=known.info if known else None,
    )
    write_card(folder, labels, recipe, mean, std, prior, info.leaning, info.temperature, _provenance(info))
    write_calibration(folder, seen, recipe, mean, std)
    write_info(folder, info)
    watch.forget()
    return info


def _known(recipe: Recipe, base: Path | None) -> Base | None:
    """The run to start from, if from one."""
    if base is not None:
        return base_for(recipe, base)
    if recipe.base_share:
        raise BaseError(
            "the recipe keeps a share of the weights it starts from (base_share): name that run (--base)"
        )
    return None


def _between(learned: list[Weights], begun_with: list[Weights], share: float) -> list[Weights]:
    """Weights between those learned (share 0) and those that the training began with (share 1)."""
    pairs = zip(learned, begun_with, strict=True)
    return [(1.0 - share) * now + share * before for now, before in pairs]


def _learn(
    network: Any,
    batches: TrainingBatches,
    watch: Watch,
    recipe: Recipe,
    pace: Callable[[int, float], None] | None,
) -> int:
    """Train a network from where it was stopped, and leave it as its best epoch did; gives the epochs."""
    network.compile(
        optimizer=_optimizer(recipe, len(batches)),
        loss=own_errors,
        jit_compile=False,
    )
    done = watch.take_up(network)
    if not watch.is_over(done):
        callbacks = [watch, *([Pace(len(batches), pace)] if pace else [])]
        network.fit(
            batches, initial_epoch=done, epochs=recipe.epochs, shuffle=False, verbose=0, callbacks=callbacks
        )
    epochs = watch.epochs_of(network)
    watch.restore_best(network)
    return epochs


def _fitted_temperature(
    network: Any,
    validation: Sequence[Example],
    labels: Sequence[str],
    recipe: Recipe,
    normalisation: tuple[Frames, Frames],
) -> float:
    """By the validation speakers, in the fit each corpus with the same say; 1 without any."""
    if not validation:
        return 1.0
    logits = clip_logits(network, validation, *normalisation, recipe.n_frames)
    return temperature(
        logits,
        truth_of(validation, labels),
        [e.clip.speaker for e in validation],
        _evenly([e.clip.corpus for e in validation]),
    )


def _leaning_of(known: Base | None, labels: Sequence[str]) -> LeaningPrior | None:
    """That of the run it started from, where that has the same labels."""
    return known.info.leaning if known and known.info.labels == tuple(labels) else None


def _spread(seen: Sequence[Example]) -> tuple[Frames, Frames]:
    stacked = np.concatenate([e.frames for e in seen])
    return stacked.mean(axis=0), stacked.std(axis=0)


def validation_speakers(examples: Sequence[Example], recipe: Recipe) -> set[str]:
    """Speakers to take out of training: of each corpus in turn one, drawn by the recipe's seed.

    A speaker with more than a twentieth of all clips is not drawn: too much would be lost to train on.

    Raises:
        TrainingError: when too few speakers would be left to train on.
    """
    speakers = sorted({e.clip.speaker for e in examples})
    least = 1 if recipe.one_speaker else 2
    if len(speakers) < recipe.validation_speakers + least:
        raise TrainingError(
            f"{len(speakers)} speaker(s) cannot give {recipe.validation_speakers} for validation and {least} "
            "to train on: add speakers, or lower validation_speakers in the recipe (0 trains without any)"
        )
    shares = _count(e.clip.speaker for e in examples)
    small = [speaker for speaker in speakers if shares[speaker] <= max(len(examples) / 20, 1)]
    if len(small) >= recipe.validation_speakers:
        speakers = small
    rng = np.random.default_rng(recipe.seed)
    corpus_of = {e.clip.speaker: e.clip.corpus for e in examples}
    queues: dict[str, list[str]] = {}
    for i in rng.permutation(len(speakers)):
        queues.setdefault(corpus_of[speakers[i]], []).append(speakers[i])
    rounds = range(max(map(len, queues.values()), default=0))
    in_turn = [queues[name][turn] for turn in rounds for name in sorted(queues) if turn < len(queues[name])]
    return set(in_turn[: recipe.validation_speakers])


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


def _check_labels(examples: Sequence[Example], labels: Sequence[str]) -> None:
    if len(set(labels)) < max(2, len(labels)):
        raise TrainingError(f"labels are {', '.join(labels)}: at least two different ones are needed")
    strange = sorted({e.clip.emotion for e in examples} - set(labels))
    if strange:
        raise TrainingError(f"there are clips of {', '.join(strange)}, which is no label: leave them out")


def _check(training: Sequence[Example], labels: Sequence[str]) -> None:
    counts = _count(e.clip.emotion for e in training)
    missing = [label for label in labels if not counts.get(label)]
    if missing:
        raise TrainingError(f"no training clip for {', '.join(missing)}: add clips, or leave the label out")


def _evenly(corpora: Sequence[str]) -> NDArray[np.float64]:
    """Weights of clips that give every corpus the same say, shape (n,)."""
    counts = _count(corpora)
    return np.array([1.0 / counts[corpus] for corpus in corpora])


def _licences(training: Sequence[Example], known: Base | None) -> tuple[str, ...]:
    """Of everything that the network has learned from, the clips of the run it starts from included."""
    of_clips = {e.clip.licence for e in training if e.clip.licence}
    return tuple(sorted(of_clips.union(known.info.licences if known else ())))


def _provenance(info: RunInfo) -> dict[str, Any]:
    made = {
        "training_clips": info.corpora,
        "licences": list(info.licences),
        "validation_speakers": list(info.validation_speakers),
        "validation_uar": info.validation_uar,
        "epochs": info.best_epoch,
        "commit": info.commit,
        "recipe": msgspec.to_builtins(info.recipe),
    }
    return {**made, "base": _provenance(info.base)} if info.base else made


def _count(names: Any) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return counts
