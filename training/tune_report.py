"""The effect of a tuning on people the network has not heard, and whether it can be told from chance."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from training.features import Example
from training.metrics import uar

Answers = NDArray[np.integer[Any]]

_DRAWS = 1000


@dataclass(frozen=True)
class Judged:
    """Answers to every clip by networks that have not heard its speaker: indices of labels, shape (n,)."""

    truth: Answers
    before: Answers
    after: Answers
    speakers: list[str]


class TuneReport(msgspec.Struct, frozen=True, kw_only=True):
    """The report of a tuning, `tuned.json` beside the network: rates are fractions, of the float network."""

    speakers: int
    """Speakers tuned on; those in `per_speaker` were tested"""

    clips: int
    """Clips tuned on"""

    heard_before: tuple[str, ...] | None = ()
    """Speakers whom the network had heard before tuning, who are not tested. None if it has no record of its
    speakers, so that nobody is tested"""

    alone_with_a_label: tuple[str, ...] = ()
    """Speakers who alone have clips of a new label, who are not tested"""

    new_labels: tuple[str, ...] = ()
    """Labels that the network did not have before: their clips count in `per_label` alone, since any right
    answer would be a gain"""

    before_uar: float | None
    """None if nobody could be tested"""

    after_uar: float | None
    gain_ci95: tuple[float, float] | None
    """95 % interval of the gain, from a bootstrap over speakers"""

    per_label: dict[str, tuple[int, float, float]]
    """Number of clips, recall before and after"""

    per_speaker: dict[str, tuple[float, float]]
    """UAR before and after"""

    without_clips: tuple[str, ...]
    """Labels without a clip: the network may forget them"""

    temperature: float
    verdict: str


def judge(
    found: Judged,
    examples: Sequence[Example],
    labels: Sequence[str],
    temperature: float,
    enough: int,
    heard_before: Set[str] | None = frozenset(),
    alone: Set[str] = frozenset(),
    new_labels: Sequence[str] = (),
) -> TuneReport:
    """The report of a tuning.

    Args:
        found: the answers.
        examples: all clips, including those that are not tested.
        labels: of the tuned network.
        temperature: of the tuned network.
        enough: tested speakers that a verdict needs.
        heard_before: all speakers whom the network had heard before; None if that is not known.
        alone: speakers who alone have clips of a new label.
        new_labels: those of the labels that the network did not have before.
    """
    occurring = [i for i in range(len(labels)) if np.any(found.truth == i)]
    per_label = {labels[i]: _recalls(found, i) for i in occurring}
    found = _without(found, [labels.index(label) for label in new_labels])
    names = sorted(set(found.speakers))
    groups = np.array(found.speakers)
    interval = _interval(found) if names else None
    speakers = {e.clip.speaker for e in examples}
    known = None if heard_before is None else tuple(sorted(speakers & heard_before))
    return TuneReport(
        speakers=len(speakers),
        clips=len(examples),
        heard_before=known,
        alone_with_a_label=tuple(sorted(alone)),
        new_labels=tuple(new_labels),
        before_uar=round(uar(found.truth, found.before), 4) if names else None,
        after_uar=round(uar(found.truth, found.after), 4) if names else None,
        gain_ci95=interval,
        per_label=per_label,
        per_speaker={
            name: (
                round(uar(found.truth[groups == name], found.before[groups == name]), 4),
                round(uar(found.truth[groups == name], found.after[groups == name]), 4),
            )
            for name in names
        },
        without_clips=tuple(x for x in labels if not any(e.clip.emotion == x for e in examples)),
        temperature=round(temperature, 4),
        verdict=_verdict(len(names), interval, enough, known, len(speakers))
        if names or not per_label
        else "no clip of a label that the network had before: the effect on these cannot be measured",
    )


def _without(found: Judged, labels: Sequence[int]) -> Judged:
    """The answers to clips of the other labels."""
    kept = ~np.isin(found.truth, labels)
    speakers = [speaker for speaker, keep in zip(found.speakers, kept, strict=True) if keep]
    return Judged(found.truth[kept], found.before[kept], found.after[kept], speakers)


def _recalls(found: Judged, label: int) -> tuple[int, float, float]:
    """Number of clips of a label, and its recall before and after."""
    rows = found.truth == label
    before, after = (float(np.mean(answers[rows] == label)) for answers in (found.before, found.after))
    return int(np.sum(rows)), round(before, 4), round(after, 4)


def _interval(found: Judged) -> tuple[float, float]:
    """95 % interval of the gain: whole speakers are drawn with replacement, before and after together."""
    names, labels = sorted(set(found.speakers)), np.unique(found.truth)
    of = [np.array(found.speakers) == name for name in names]
    # For each speaker and label: clips, and how many more of them are right than before (speakers, labels).
    clips = np.array([[np.sum(rows & (found.truth == x)) for x in labels] for rows in of])
    more = np.array(
        [
            [np.sum(rows & (found.truth == x) & (found.after == x)) for x in labels]
            - np.array([np.sum(rows & (found.truth == x) & (found.before == x)) for x in labels])
            for rows in of
        ]
    )
    drawn = np.random.default_rng(0).integers(0, len(names), (_DRAWS, len(names)))
    counts, gains = clips[drawn].sum(axis=1), more[drawn].sum(axis=1)
    # A label without a clip in a draw does not count.
    recall = np.where(counts > 0, gains / np.maximum(counts, 1), np.nan)
    low, high = np.percentile(np.nanmean(recall, axis=1), [2.5, 97.5])
    return round(float(low), 4), round(float(high), 4)


def _verdict(
    speakers: int,
    interval: tuple[float, float] | None,
    enough: int,
    heard_before: tuple[str, ...] | None,
    tuned_on: int,
) -> str:
    if heard_before is None:
        return (
            "the run to start from has no record of its speakers, which newer runs have: the effect on "
            "people it has not heard cannot be measured; train that run again"
        )
    new = " whom the network had not heard before" if heard_before else ""
    if interval is None:
        who = "one speaker" if tuned_on == 1 and not new else f"fewer than two speakers{new} can be left out"
        return f"{who}: the effect on other people cannot be measured, and it may well be worse for them"
    if speakers < enough:
        who = f"{speakers} speakers{new}"
        return f"{who} are too few to measure the effect on other people: at least {enough} are needed"
    low, high = interval
    if low > 0.0:
        return "better on people it has not heard"
    if high < 0.0:
        return "worse on people it has not heard: keep the network as it was"
    return "no difference can be shown on people it has not heard"
