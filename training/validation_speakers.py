"""Choose the validation speakers, who are held out of training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from training.features import Example
from training.recipe import Recipe
from training.support import check_speakers


def validation_speakers(examples: Sequence[Example], recipe: Recipe) -> set[str]:
    """Speakers to hold out of training: one of each corpus in turn, drawn with the recipe's seed.

    A speaker with more than a twentieth of all clips is not drawn if there are enough others: too many
    training clips would be lost.

    Raises:
        SupportError: when too few speakers would be left to train on.
    """
    check_speakers([e.clip for e in examples], recipe)
    speakers = sorted({e.clip.speaker for e in examples})
    shares = Counter(e.clip.speaker for e in examples)
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
