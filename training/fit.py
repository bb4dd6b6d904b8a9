"""Train one network on clips: resumable, and validated on speakers held out of training."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.inference.leaning import LeaningPrior
from edge.inference.reference import ReferencePrior
from training.base import Base, BaseError, base_for
from training.batches import TrainingBatches
from training.branches import learner
from training.clips import Clip
from training.errors import TrainingError
from training.features import Example
from training.histories import Histories, unheard
from training.leaning_prior import at_temperature, leaning_prior
from training.learn import learn
from training.metrics import uar
from training.networks import build_network
from training.networks.views import with_views
from training.progress import EpochDone
from training.provenance import commit
from training.recipe import Recipe
from training.reference_prior import reference_prior
from training.run_folder import (
    RunInfo,
    claim_folder,
    is_claimed,
    is_finished,
    read_info,
    write_calibration,
    write_card,
    write_comparison,
    write_info,
)
from training.scoring import clip_answers, clip_logits, truth_of, unheard_answers
from training.support import check_labels, check_speakers
from training.teachers import Teachers, teachers_for
from training.temperature import temperature
from training.unheard import speakers_trained_on
from training.validation_speakers import validation_speakers
from training.watch import Watch

Frames = NDArray[np.float32]
Weights = NDArray[np.float32]


def fit(
    examples: Sequence[Example],
    labels: Sequence[str],
    recipe: Recipe,
    folder: Path,
    progress: Callable[[EpochDone], None] | None = None,
    base: Path | None = None,
    pace: Callable[[int, float], None] | None = None,
    teachers: Sequence[Path] = (),
) -> RunInfo:
    """Train a network, and leave it in `folder` as `network.keras`, `run.json` and what the converter needs.

    A finished run in the folder is left as it is; an unfinished one resumes after its last finished epoch.

    Args:
        examples: clips to train on; the validation speakers are taken from these.
        labels: the network's outputs, in order.
        recipe: the settings of the training.
        folder: where the run is kept.
        progress: called after each epoch.
        base: folder of a finished run to start from: its weights, normalisation and voice priors.
        pace: called once with the batches that are left, and the seconds that they will take.
        teachers: folders of finished runs whose outputs the network learns from, besides the labels.

    Raises:
        TrainingError: when a label has no clip, or there are not enough speakers, or none to hold out.
        BaseError: when the base or a teacher cannot be used.
        RunMismatchError: when the folder holds a run with other clips, labels or settings.
        DamagedRunError: when a file of that folder, or of the base or a teacher, cannot be read.
    """
    begun, sources = time.monotonic(), commit()
    clips = [e.clip for e in examples]
    _check_labels(clips, labels)
    known = run_before(recipe, base)
    taught_by = teachers_for(recipe, labels, teachers)
    if not is_claimed(folder):
        # Before the folder is claimed for these clips: once speakers are added, the clips will be others.
        check_speakers(clips, recipe)
    claim_folder(folder, clips, labels, recipe, _sha256(known), _sha256(taught_by))
    if is_finished(folder):
        return read_info(folder)
    others = [*([known.info] if known else []), *(taught_by.infos if taught_by else ())]
    held_out = validation_speakers(clips, recipe, speakers_trained_on(others))
    start = _start(examples, labels, recipe, known, held_out)
    recipe, network, normalisation = start.recipe, start.network, start.normalisation
    write_comparison(folder, start.held_out or examples[:200], labels, bool(start.held_out))
    begun_with = network.get_weights()
    batches = TrainingBatches(start.histories, labels, recipe, *normalisation, taught_by)
    watch = Watch(network, start.validation, labels, recipe, normalisation, batches, folder, progress)
    epochs = learn(learner(network), batches, watch, recipe, pace)
    network.set_weights(_between(network.get_weights(), begun_with, recipe.base_share))
    mean, std = normalisation
    # A separate model: the compiled one would be saved with its optimizer, which is specific to the backend.
    learned = keras.Model(network.input, network.output)
    answering = with_views(learned, recipe.network.views, recipe.mfcc_config, std)
    answering.save(folder / "network.keras")
    temperature_, validation_uar = _validated(answering, start, labels)
    info = RunInfo(
        labels=tuple(labels),
        recipe=recipe,
        mean=tuple(mean.tolist()),
        std=tuple(std.tolist()),
        prior=start.prior,
        temperature=temperature_,
        leaning=_leaning(answering, start, labels, temperature_) or _leaning_of(known, labels, temperature_),
        epochs=epochs,
        best_epoch=watch.best_epoch if start.validation else epochs,
        validation_uar=validation_uar,
        validation_speakers=tuple(sorted({e.clip.speaker for e in start.held_out})),
        corpora=dict(Counter(e.clip.corpus for e in start.training)),
        speakers=tuple(sorted({clip.speaker for clip in clips})),
        licences=_licences(start.training, others),
        commit=sources,
        seconds=round(time.monotonic() - begun, 1),
        base=known.info if known else None,
        teachers=taught_by.infos if taught_by else (),
    )
    write_card(
        folder, labels, recipe, mean, std, info.prior, info.leaning, info.temperature, _provenance(info)
    )
    write_calibration(folder, start.seen, recipe, mean, std)
    write_info(folder, info)
    watch.forget()
    return info


@dataclass(frozen=True)
class _Start:
    """What a training begins with."""

    recipe: Recipe
    """With the epochs for this number of clips"""

    training: list[Example]
    held_out: list[Example]
    """Clips of the validation speakers, with their own frames"""

    validation: list[Example]
    """The same clips as the network sees them when their voices were never heard before"""

    prior: ReferencePrior
    histories: Histories
    seen: list[Example]
    """Every training clip once, as the network sees it"""

    normalisation: tuple[Frames, Frames]
    network: Any


def _start(
    examples: Sequence[Example],
    labels: Sequence[str],
    recipe: Recipe,
    known: Base | None,
    speakers: Set[str],
) -> _Start:
    """Clips for validation, those of `speakers`, and for training; the network, new or the base's."""
    training = [e for e in examples if e.clip.speaker not in speakers]
    held_out = [e for e in examples if e.clip.speaker in speakers]
    _check(training, [label for label in labels if known is None or label not in known.info.labels])
    recipe = recipe.for_clips(len(training))
    keras.utils.set_random_seed(recipe.seed)
    prior = known.info.prior if known else reference_prior(training, one_emotion=recipe.history.one_emotion)
    histories = Histories(training, prior, recipe.history)
    seen = histories.seen(np.random.default_rng(recipe.seed))
    normalisation = (known.mean, known.std) if known else _spread(seen)
    n_features = len(normalisation[0])
    network = build_network(
        recipe.network, recipe.n_frames, n_features, len(labels), recipe.mfcc_config.n_pitch
    )
    if known:
        known.hand_over(network, labels)
    return _Start(
        recipe, training, held_out, unheard(held_out, prior), prior, histories, seen, normalisation, network
    )


def run_before(recipe: Recipe, base: Path | None) -> Base | None:
    """The run to start from, if there is one.

    Raises:
        BaseError: when it cannot be used, or when the recipe needs one and none is named.
    """
    if base is not None:
        return base_for(recipe, base)
    if recipe.base_share:
        raise BaseError(
            "the recipe keeps a share of the starting run's weights (base_share): name that run (--base)"
        )
    return None


def _between(learned: list[Weights], begun_with: list[Weights], share: float) -> list[Weights]:
    """The weighted mean of the trained weights (share 0) and those that the training began with (share 1)."""
    pairs = zip(learned, begun_with, strict=True)
    return [(1.0 - share) * now + share * before for now, before in pairs]


def _validated(network: Any, start: _Start, labels: Sequence[str]) -> tuple[float, float | None]:
    """Temperature and UAR from the validation speakers; 1 and None without any.

    In the fit of the temperature, all corpora have equal weight.
    """
    heard = start.validation
    if not heard:
        return 1.0, None
    truth = truth_of(heard, labels)
    logits = clip_logits(network, heard, *start.normalisation, start.recipe.n_frames)
    fitted = temperature(
        logits, truth, [e.clip.speaker for e in heard], _evenly([e.clip.corpus for e in heard])
    )
    return fitted, uar(truth, clip_answers(logits, 1.0))


def _leaning(network: Any, start: _Start, labels: Sequence[str], temperature: float) -> LeaningPrior | None:
    """The leaning prior of the trained network, for voices it has not heard; None with too few clips."""
    recipe = start.recipe

    def answers(clips: Sequence[Example]) -> NDArray[np.float64]:
        return unheard_answers(network, clips, start.prior, start.normalisation, recipe.n_frames, temperature)

    return leaning_prior(answers, start.training, labels, recipe.mfcc_config, recipe.seed)


def _leaning_of(known: Base | None, labels: Sequence[str], temperature: float) -> LeaningPrior | None:
    """The leaning prior of the base at another temperature, if it has one, and the same labels."""
    if known is None or known.info.leaning is None or known.info.labels != tuple(labels):
        return None
    return at_temperature(known.info.leaning, temperature / known.info.temperature)


def _spread(seen: Sequence[Example]) -> tuple[Frames, Frames]:
    stacked = np.concatenate([e.frames for e in seen])
    return stacked.mean(axis=0), stacked.std(axis=0)


def _check_labels(clips: Sequence[Clip], labels: Sequence[str]) -> None:
    check_labels(labels)
    strange = sorted({clip.emotion for clip in clips} - set(labels))
    if strange:
        raise TrainingError(f"there are clips of {', '.join(strange)}, not one of the labels: leave them out")


def _check(training: Sequence[Example], labels: Sequence[str]) -> None:
    counts = Counter(e.clip.emotion for e in training)
    missing = [label for label in labels if not counts[label]]
    if missing:
        raise TrainingError(f"no training clip for {', '.join(missing)}: add clips, or leave the label out")


def _evenly(corpora: Sequence[str]) -> NDArray[np.float64]:
    """Weights of clips that give every corpus the same total weight, shape (n,)."""
    counts = Counter(corpora)
    return np.array([1.0 / counts[corpus] for corpus in corpora])


def _sha256(networks: Base | Teachers | None) -> str:
    return networks.sha256 if networks else ""


def _licences(training: Sequence[Example], others: Sequence[RunInfo]) -> tuple[str, ...]:
    """The licences of everything that the network has learned from, including the clips of other runs."""
    of_clips = {e.clip.licence for e in training if e.clip.licence}
    return tuple(sorted(of_clips.union(*(info.licences for info in others))))


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
    if info.base:
        made["base"] = _provenance(info.base)
    if info.teachers:
        made["teachers"] = [_provenance(teacher) for teacher in info.teachers]
    return made
