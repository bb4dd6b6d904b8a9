"""Fine-tune a trained network on a user's clips, and test it on those speakers it has not heard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence, Set
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.inference.card import decode_card, encode_card
from training.base import Base, base_for, read_base
from training.features import Example
from training.fit import fit
from training.histories import unheard
from training.leaning_prior import at_temperature
from training.progress import EpochDone
from training.recipe import Recipe
from training.run_folder import RunInfo, write_info, write_whole
from training.scoring import clip_answers, clip_logits, truth_of
from training.temperature import temperature
from training.tune_report import Judged, TuneReport, judge
from training.unheard import speakers_heard

_GROUPS = 5
"""Groups of speakers, each left out once; more would take longer without telling more"""

ENOUGH_SPEAKERS = 5
"""With fewer, neither a gain nor a temperature can be distinguished from chance"""

Progress = Callable[[str, EpochDone], None]


Logits = list[NDArray[np.float32]]
"""Logits of the windows of each clip, (windows, n_labels) each"""


def recipe_from(of: Recipe, recipe: Recipe) -> Recipe:
    """The recipe to tune a run with: name, window, front end, network and histories are that run's."""
    kept = {name: getattr(of, name) for name in ("name", "n_frames", "frontend", "network", "history")}
    return msgspec.structs.replace(recipe, circumplex={**of.circumplex, **recipe.circumplex}, **kept)


def tune(
    base: Path,
    examples: Sequence[Example],
    new_labels: Sequence[str],
    recipe: Recipe,
    folder: Path,
    progress: Progress,
) -> tuple[RunInfo, TuneReport]:
    """Tune a network on all examples, and measure the effect on people who are not among them.

    Each group of speakers is left out once, to test a network that is tuned on the others; the final network
    is tuned on all of them. Speakers whom the base, or a run that it builds on, has heard are never left out:
    the base has learned from them, so they cannot show the effect on new people. Nor is a speaker who alone
    has clips of a new label, which could not be learned without them. Finished parts are kept: an interrupted
    call resumes when it is repeated.

    Args:
        base: folder of the finished run to start from.
        examples: the user's clips.
        new_labels: labels that the network does not have yet.
        recipe: see `recipe_from`.
        folder: for the tuned run, in the form that the converter reads.
        progress: called with the part's name after each epoch.

    Raises:
        BaseError: when there is no run to start from.
        TrainingError: when the clips do not suffice.
        RunMismatchError: when the folder holds a run with other clips, labels or settings.
        DamagedRunError: when a file of that folder, or of the base, cannot be read.
    """
    known = base_for(recipe, base)
    heard_before = speakers_heard(known.info)
    labels = (*known.info.labels, *new_labels)
    before = clip_answers(_logits(known, examples), 1.0)
    alone = alone_with_a_label(examples, new_labels)
    groups = [] if heard_before is None else speaker_groups(examples, new_labels, heard_before | alone)
    # With two speakers, one is left to train on while the other is tested.
    of_others = msgspec.structs.replace(recipe, one_speaker=True)
    parts: list[Part] = []
    for number, group in enumerate(groups, 1):
        name = f"without group {number} of {len(groups)}"
        heard = [e for e in examples if e.clip.speaker not in group]
        place = folder / f"without-{number}"
        fit(heard, labels, of_others, place, partial(progress, name), base)
        rows = [i for i, e in enumerate(examples) if e.clip.speaker in group]
        parts.append(Part(rows, _logits(read_base(place), [examples[i] for i in rows])))
    info = fit(examples, labels, recipe, folder, partial(progress, "all"), base)
    found = _judged(parts, examples, labels, before)
    calibrated = fitted_temperature(parts, found)
    if calibrated is None:
        calibrated = known.info.temperature
    info = _with_temperature(info, calibrated, folder)
    report = judge(found, examples, labels, calibrated, ENOUGH_SPEAKERS, heard_before, alone, new_labels)
    write_whole(folder / "tuned.json", msgspec.json.format(msgspec.json.encode(report), indent=1))
    return info, report


def alone_with_a_label(examples: Sequence[Example], new_labels: Sequence[str]) -> set[str]:
    """Speakers such that nobody else has clips of some new label."""
    of_label = ({e.clip.speaker for e in examples if e.clip.emotion == label} for label in new_labels)
    return {min(speakers) for speakers in of_label if len(speakers) == 1}


def speaker_groups(
    examples: Sequence[Example], new_labels: Sequence[str], kept: Set[str] = frozenset()
) -> list[set[str]]:
    """Groups of speakers to leave out in turn, without those that are to be kept.

    There are none if fewer than two speakers are left. Those with clips of a new label are distributed first,
    so that no group holds all of them.
    """
    speakers = {e.clip.speaker for e in examples} - kept
    if len(speakers) < 2:
        return []
    new = Counter(e.clip.speaker for e in examples if e.clip.emotion in new_labels)
    groups: list[set[str]] = [set() for _ in range(min(_GROUPS, len(speakers)))]
    for i, speaker in enumerate(sorted(speakers, key=lambda name: (-new[name], name))):
        groups[i % len(groups)].add(speaker)
    return groups


class Part(NamedTuple):
    """One group that was left out: indices of its examples, and their logits by the network without it."""

    rows: list[int]
    logits: Logits


def _logits(base: Base, examples: Sequence[Example]) -> Logits:
    seen = unheard(examples, base.info.prior)
    return clip_logits(base.network, seen, base.mean, base.std, base.network.input_shape[1])


def _judged(
    parts: Sequence[Part],
    examples: Sequence[Example],
    labels: Sequence[str],
    before: NDArray[np.integer[Any]],
) -> Judged:
    rows = [i for part in parts for i in part.rows]
    after = [clip_answers(part.logits, 1.0) for part in parts]
    return Judged(
        truth=truth_of([examples[i] for i in rows], labels),
        before=before[rows],
        after=np.concatenate(after) if after else np.empty(0, np.int64),
        speakers=[examples[i].clip.speaker for i in rows],
    )


def fitted_temperature(parts: Sequence[Part], found: Judged) -> float | None:
    """The temperature fitted on the speakers who were left out; None if they are too few."""
    if len(set(found.speakers)) < ENOUGH_SPEAKERS:
        return None
    logits = [of_clip for part in parts for of_clip in part.logits]
    return temperature(logits, found.truth, found.speakers, np.ones(len(logits)))


def _with_temperature(info: RunInfo, found: float, folder: Path) -> RunInfo:
    card = decode_card((folder / "card.json").read_bytes())
    leaning = info.leaning and at_temperature(info.leaning, found / info.temperature)
    changed = msgspec.structs.replace(card, temperature=round(found, 4), leaning=leaning)
    write_whole(folder / "card.json", encode_card(changed))
    info = msgspec.structs.replace(info, temperature=found, leaning=leaning)
    write_info(folder, info)
    return info
