"""What a device could know of a test speaker before each clip: the forms `adapt` and `enrol`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge.inference.leaning import LeaningPrior
from edge.inference.reference import ReferencePrior, Vector
from edge.inference.voice import Voice
from training.features import Example

TURNS = {"adapt": (0, 1, 3, 10, 30), "enrol": (0, 1, 3, 10)}
"""Clips heard before: of any emotion, without their labels; or known to be neutral"""

HEADLINE = {"adapt": 10, "enrol": 3}
"""The number of clips whose figures stand for the form"""


def voices(
    examples: Sequence[Example],
    answers: Sequence[Vector],
    priors: tuple[ReferencePrior, LeaningPrior | None],
    form: str,
    turns: int,
) -> list[Voice]:
    """The voice as it is known when each example is to be judged; nothing of the example itself is in it.

    Each speaker's clips come in a fixed random order. For `adapt` a clip's voice has spoken the last
    `turns` clips before it, for `enrol` the first neutral ones in that order that are other than the clip.

    Args:
        examples: test clips.
        answers: to each by itself, (n_labels,); see `edge.inference.leaning`.
        priors: what training tells of voices and of answers to them.
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


def _orders(examples: Sequence[Example]) -> list[list[int]]:
    """The examples of each speaker, in an order that hangs on the clips alone."""
    speakers: dict[str, list[int]] = {}
    for i in sorted(range(len(examples)), key=lambda i: str(examples[i].clip.path.name)):
        speakers.setdefault(examples[i].clip.speaker, []).append(i)
    rng = np.random.default_rng(0)
    return [[rows[j] for j in rng.permutation(len(rows))] for _, rows in sorted(speakers.items())]
