"""What labelled clips tell about voices before one is heard: the card's `reference`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.inference.reference import ReferencePrior
from training.features import Example
from training.one_emotion import of_several_emotions

Vectors = NDArray[np.floating[Any]]

_NEUTRAL = "neutral"
_LEAST_SPEAKERS = 3
"""With fewer, the variance between voices is unknown, and that between one voice's turns is used instead"""


def reference_prior(examples: Sequence[Example], *, one_emotion: bool = True) -> ReferencePrior:
    """Variances of the mean of a clip's frames, between and within speakers.

    Args:
        examples: of all speakers, at least one.
        one_emotion: whether speakers with nearly all clips in one emotion count. With too few others, they
            count in any case.
    """
    if not one_emotion:
        telling = of_several_emotions(examples)
        if len(telling) >= _LEAST_SPEAKERS:
            examples = [e for e in examples if e.clip.speaker in telling]
    voices = _by_speaker(examples)
    neutral = _by_speaker([e for e in examples if e.clip.emotion == _NEUTRAL])
    turn = _within(voices)
    speakers = np.array([means.mean(axis=0) for means in voices.values()])
    offsets = np.array([means.mean(axis=0) - voices[name].mean(axis=0) for name, means in neutral.items()])
    enough = len(speakers) >= _LEAST_SPEAKERS
    enough_neutral = len(offsets) >= _LEAST_SPEAKERS
    return ReferencePrior(
        voice_variance=_listed(speakers.var(axis=0, ddof=1) if enough else turn),
        turn_variance=_listed(turn),
        neutral_offset=_listed(offsets.mean(axis=0) if len(offsets) else np.zeros_like(turn)),
        neutral_variance=_listed(offsets.var(axis=0, ddof=1) if enough_neutral else turn),
        neutral_turn_variance=_listed(_within(neutral) if neutral else turn),
    )


def _by_speaker(examples: Sequence[Example]) -> dict[str, Vectors]:
    """The means of each speaker's clips, shape (clips, n_features)."""
    means: dict[str, list[Vectors]] = {}
    for example in examples:
        means.setdefault(example.clip.speaker, []).append(example.frames.mean(axis=0, dtype=np.float64))
    return {name: np.array(rows) for name, rows in means.items()}


def _within(voices: dict[str, Vectors]) -> Vectors:
    """Variance of clips about their speaker's mean, pooled over the speakers; above 0."""
    squares = sum(((rows - rows.mean(axis=0)) ** 2).sum(axis=0) for rows in voices.values())
    freedom = sum(len(rows) - 1 for rows in voices.values())
    return np.asarray(np.maximum(squares / max(freedom, 1), 1e-6))


def _listed(values: Vectors) -> tuple[float, ...]:
    return tuple(round(float(value), 6) for value in values)
