"""Speakers with nearly all clips in one emotion: their mean reflects that emotion as much as the voice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from training.features import Example

_MOST = 0.75
"""Share of a speaker's clips that one emotion may make up"""


def of_several_emotions(examples: Iterable[Example]) -> set[str]:
    """Speakers none of whose emotions makes up more than three quarters of their clips among these."""
    emotions: dict[str, Counter[str]] = {}
    for example in examples:
        emotions.setdefault(example.clip.speaker, Counter())[example.clip.emotion] += 1
    return {speaker for speaker, clips in emotions.items() if max(clips.values()) <= _MOST * clips.total()}
