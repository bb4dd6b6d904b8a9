"""What a tuning is worth to people whom it has not heard, before and after, and whether that can be told."""

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
    """Beside the tuned network, as `tuned.json`: rates are fractions, of the float network."""

    speakers: int
    """That were tuned on; those in `per_speaker` were judged"""

    clips: int
    """Likewise"""

    heard_before: tuple[str, ...] | None = ()
    """Speakers whom the network had heard before it was tuned: not judged. None where it does not say whom,
    so that nobody was"""

    before_uar: float | None
    """None where nobody could be left out"""

    after_uar: float | None
    gain_ci95: tuple[float, float] | None
    """Of the gain, by a bootstrap over speakers"""

    per_label: dict[str, tuple[int, float, float]]
    """Clips, recall before and after"""

    per_speaker: dict[str, tuple[float, float]]
    """UAR before and after"""

    without_clips: tuple[str, ...]
    """Labels of which there was none: the network may forget them"""

    temperature: float
    verdict: str


def judge(
    found: Judged,
    examples: Sequence[Example],
    labels: Sequence[str],
    temperature: float,
    enough: int,
    heard_before: Set[str] | None = frozenset(),
) -> TuneReport:
    """The report of a tuning.

    Args:
        found: the answers.
        examples: all clips, also where nobody could be left out.
        labels: of the tuned network; each clip of a new one was wrong before.
        temperature: of the tuned network.
        enough: speakers with whom something can be told.
        heard_before: everybody whom the network had heard before; None where that is not known.
    """
    names = sorted(set(found.speakers))
    groups = np.array(found.speakers)
    occurring = [i for i in range(len(labels)) if np.any(found.truth == i)]
    interval = _interval(found) if names else None
    speakers = {e.clip.speaker for e in examples}
    known = None if heard_before is None else tuple(sorted(speakers & heard_before))
    return TuneReport(
        speakers=len(speakers),
        clips=len(examples),
        heard_before=known,
        before_uar=round(uar(found.truth, found.before), 4) if names else None,
        after_uar=round(uar(found.truth, found.after), 4) if names else None,
        gain_ci95=interval,
        per_label={labels[i]: _recalls(found, i) for i in occurring},
        per_speaker={
            name: (
                round(uar(found.truth[groups == name], found.before[groups == name]), 4),
                round(uar(found.truth[groups == name], found.after[groups == name]), 4),
            )
            for name in names
        },
        without_clips=tuple(x for x in labels if not any(e.clip.emotion == x for e in examples)),
        temperature=round(temperature, 4),
        verdict=_verdict(len(names), interval, enough, known),
    )


def _recalls(found: Judged, label: int) -> tuple[int, float, float]:
    """Clips of a label, and the share of them that is found, before and after."""
    rows = found.truth == label
    before, after = (float(np.mean(answers[rows] == label)) for answers in (found.before, found.after))
    return int(np.sum(rows)), round(before, 4), round(after, 4)


def _interval(found: Judged) -> tuple[float, float]:
    """95 % interval of the gain: whole speakers are drawn with replacement, before and after together."""
    names, labels = sorted(set(found.speakers)), np.unique(found.truth)
    of = [np.array(found.speakers) == name for name in names]
    # Clips of each speaker and label, and by how many more of them are found than before: (speakers, labels).
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
    # A label that none of those drawn speaks does not count.
    recall = np.where(counts > 0, gains / np.maximum(counts, 1), np.nan)
    low, high = np.percentile(np.nanmean(recall, axis=1), [2.5, 97.5])
    return round(float(low), 4), round(float(high), 4)


def _verdict(
    speakers: int,
    interval: tuple[float, float] | None,
    enough: int,
    heard_before: tuple[str, ...] | None,
) -> str:
    if heard_before is None:
        return (
            "the run to start from does not say whom it has heard, as runs do now: what this does to people "
            "whom it has not heard cannot be told; train that run again"
        )
    new = " whom the network had not heard before" if heard_before else ""
    if interval is None:
        who = f"fewer than two speakers{new}" if new else "one speaker"
        return f"{who}: what it does to others cannot be told, and it may well be worse for them"
    if speakers < enough:
        who = f"{speakers} speakers{new}"
        return f"{who} are too few to tell what it does to others: at least {enough} are needed"
    low, high = interval
    if low > 0.0:
        return "better with people whom it has not heard"
    if high < 0.0:
        return "worse with people whom it has not heard: leave the network as it was"
    return "no difference can be shown with people whom it has not heard"
