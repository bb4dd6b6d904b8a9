"""Choose the validation speakers, who are held out of training."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence, Set

import numpy as np

from training.clips import Clip
from training.recipe import Recipe
from training.support import LEAST_SPEAKERS, SupportError, check_speakers


def validation_speakers(
    clips: Sequence[Clip], recipe: Recipe, trained_on: Set[str] | None = frozenset()
) -> set[str]:
    """Speakers to hold out of training: one of each corpus in turn, drawn with the recipe's seed.

    A speaker with more than a twentieth of all clips is not drawn if there are enough others: too many
    training clips would be lost. Nor is one without whom a label would be left with a single speaker, from
    whom a network would learn the voice, or one whom an earlier run was trained on, who cannot show what the
    network does on new people. If fewer are left than the recipe asks for, these are drawn.

    Args:
        clips: to train on.
        recipe: says how many, and with which seed.
        trained_on: speakers whom the runs that this one builds on were trained on; None if they do not say.

    Raises:
        SupportError: when too few speakers would be left to train on, or nobody can be held out.
    """
    check_speakers(clips, recipe)
    if not recipe.validation_speakers:
        return set()
    if trained_on is None:
        raise SupportError(
            "the run to build on has no record of its speakers, so nobody can be held out for validation: "
            "train that run again, or set validation_speakers = 0 in the recipe"
        )
    drawn = _spared(_in_turn(clips, recipe, trained_on), clips, recipe)
    if not drawn:
        raise SupportError(
            "nobody can be held out for validation: the run to build on was trained on these speakers, or a "
            "label would be left with one speaker; add speakers, or set validation_speakers = 0 in the recipe"
        )
    return drawn


def _in_turn(clips: Sequence[Clip], recipe: Recipe, trained_on: Set[str]) -> list[str]:
    """All who could be held out, one of each corpus in turn."""
    corpus_of = {clip.speaker: clip.corpus for clip in clips if clip.speaker not in trained_on}
    speakers = sorted(corpus_of)
    shares = Counter(clip.speaker for clip in clips)
    small = [speaker for speaker in speakers if shares[speaker] <= max(len(clips) / 20, 1)]
    if len(small) >= recipe.validation_speakers:
        speakers = small
    rng = np.random.default_rng(recipe.seed)
    queues: dict[str, list[str]] = {}
    for i in rng.permutation(len(speakers)):
        queues.setdefault(corpus_of[speakers[i]], []).append(speakers[i])
    rounds = range(max(map(len, queues.values()), default=0))
    return [queues[name][turn] for turn in rounds for name in sorted(queues) if turn < len(queues[name])]


def _spared(candidates: Sequence[str], clips: Sequence[Clip], recipe: Recipe) -> set[str]:
    """The first candidates whom the training of every label can spare, as many as the recipe asks for."""
    least = 1 if recipe.one_speaker else LEAST_SPEAKERS
    left, labels = defaultdict(set), defaultdict(set)
    for clip in clips:
        left[clip.emotion].add(clip.speaker)
        labels[clip.speaker].add(clip.emotion)
    drawn: set[str] = set()
    for speaker in candidates:
        if len(drawn) < recipe.validation_speakers and all(len(left[x]) > least for x in labels[speaker]):
            drawn.add(speaker)
            for label in labels[speaker]:
                left[label].discard(speaker)
    return drawn
