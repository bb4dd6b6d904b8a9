"""What a device could know about a test speaker before each clip: the forms `adapt` and `enrol`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from edge.inference.leaning import LeaningPrior
from edge.inference.reference import ReferencePrior, Vector
from edge.inference.voice import Voice
from training.features import Example

TURNS = {"adapt": (0, 1, 3, 10, 30), "enrol": (0, 1, 3, 10)}
"""Numbers of clips heard before: `adapt`, of any emotion and without labels; `enrol`, known to be neutral"""

HEADLINE = {"adapt": 10, "enrol": 3}
"""The number of clips for which the figures of the form are reported"""


def voices(
    examples: Sequence[Example],
    answers: Sequence[Vector],
    priors: tuple[ReferencePrior, LeaningPrior | None],
    form: str,
    turns: int,
) -> list[Voice]:
    """What is known of the voice when each example is scored; the example itself does not contribute.

    Each speaker's clips are in a fixed random order. In `adapt`, the `turns` clips before an example have
    been heard; in `enrol`, the first `turns` neutral clips in that order other than the example. Where there
    are fewer, those; see `share_with`.

    Args:
        examples: test clips.
        answers: to each clip by itself, (n_labels,); see `edge.inference.leaning`.
        priors: what training tells about voices and about answers to them.
        form: `adapt` or `enrol`.
        turns: clips heard before.
    """
    found = [Voice(*priors) for _ in examples]
    means = [e.frames.mean(axis=0) for e in examples]
    for order in _orders(examples):
        neutral = [i for i in order if examples[i].clip.emotion == "neutral"]
        for place, i in enumerate(order):
            if form == "enrol":
                chosen = [j for j in neutral if j != i][:turns]
                found[i].enrol([means[j] for j in chosen], [answers[j] for j in chosen])
                continue
            for j in order[max(0, place - turns) : place]:
                found[i].learn(means[j], answers[j])
    return found


def share_with(speakers: Sequence[str], neutral: Sequence[bool], form: str, turns: int) -> float:
    """The share of the clips for which `voices` finds all `turns` clips, from 0 to 1.

    Args:
        speakers: of each clip of a test.
        neutral: whether it is a neutral one.
        form: `adapt` or `enrol`.
        turns: clips heard before.
    """
    clips = Counter(speakers)
    if form == "adapt":
        return sum(max(0, n - turns) for n in clips.values()) / len(speakers)
    known = Counter(speaker for speaker, is_neutral in zip(speakers, neutral, strict=True) if is_neutral)
    others = [known[speaker] - is_neutral for speaker, is_neutral in zip(speakers, neutral, strict=True)]
    return sum(n >= turns for n in others) / len(speakers)


def _orders(examples: Sequence[Example]) -> list[list[int]]:
    """The examples of each speaker, in an order that depends on the clips alone."""
    speakers: dict[str, list[int]] = {}
    for i in sorted(range(len(examples)), key=lambda i: str(examples[i].clip.path.name)):
        speakers.setdefault(examples[i].clip.speaker, []).append(i)
    rng = np.random.default_rng(0)
    return [[rows[j] for j in rng.permutation(len(rows))] for _, rows in sorted(speakers.items())]
