"""How a network's answers lean with voices that it has not heard: the card's `leaning`.

The network knows the voices of its training too well to show this, but not the same voices with another vocal
tract. Each speaker is therefore heard twice, with the mel axis stretched either way further than in training.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.frontend.mfcc_config import MfccConfig
from edge.frontend.tables import dct_matrix
from edge.inference.leaning import LeaningPrior
from training.features import Example, Frames
from training.scoring import truth_of
from training.vocal_tract import stretched

Answers = NDArray[np.float64]

_STRETCHES = (0.8, 1.2)
_MOST_CLIPS = 1500
"""Clips for each stretch; more add little"""

_LEAST_CLIPS = 100
_LEAST_TURNS, _LEAST_NEUTRAL = 4, 2
"""Turns of a voice that are needed for its leaning to count"""

_LEAST_VARIANCE = 1e-6


def leaning_prior(
    answer: Callable[[Sequence[Example]], Answers],
    examples: Sequence[Example],
    labels: Sequence[str],
    config: MfccConfig,
    seed: int,
) -> LeaningPrior | None:
    """The statistics of answers to unheard voices; None if there are too few clips.

    Args:
        answer: gives the answers (clips, n_labels) to clips, each by itself; see `edge.inference.leaning`.
        examples: training clips.
        labels: of the network.
        config: the front end, whose DCT must be invertible.
        seed: determines which clips are used.
    """
    if len(examples) < _LEAST_CLIPS:
        return None
    rng = np.random.default_rng(seed)
    answers, truth, voices = [], [], []
    for stretch in _STRETCHES:
        heard = [examples[i] for i in rng.permutation(len(examples))[:_MOST_CLIPS]]
        changed = [Example(e.clip, _spoken_by_another(e.frames, stretch, config)) for e in heard]
        answers.append(answer(changed))
        truth.append(truth_of(heard, labels))
        voices += [f"{e.clip.speaker} {stretch}" for e in heard]
    neutral = labels.index("neutral") if "neutral" in labels else None
    return _prior(np.concatenate(answers), np.concatenate(truth), np.array(voices), neutral)


def at_temperature(prior: LeaningPrior, ratio: float) -> LeaningPrior:
    """The same prior for a temperature `ratio` times as high, which divides the answers by `ratio`."""
    of_variances = {
        name: _rounded(value / ratio**2)
        for name, value in msgspec.structs.asdict(prior).items()
        if isinstance(value, float)
    }
    usual, neutral = (_listed(np.array(answer) / ratio) for answer in (prior.usual, prior.neutral))
    return msgspec.structs.replace(prior, **of_variances, usual=usual, neutral=neutral)


def _spoken_by_another(frames: Frames, stretch: float, config: MfccConfig) -> Frames:
    dct = dct_matrix(config).astype(np.float32)
    made = frames.copy()
    n_mfcc = len(dct)
    made[:, :n_mfcc] = stretched((frames[:, :n_mfcc] @ dct.T)[None], np.array([stretch]))[0] @ dct
    return made


def _prior(
    answers: Answers, truth: NDArray[np.integer], voices: NDArray[np.str_], neutral: int | None
) -> LeaningPrior | None:
    usual_of = {int(label): answers[truth == label].mean(axis=0) for label in np.unique(truth)}
    usual = np.mean(list(usual_of.values()), axis=0)
    rest = answers - np.array([usual_of[int(label)] for label in truth])
    is_neutral = truth == neutral
    others = _Groups(rest, voices, ~is_neutral, _LEAST_TURNS)
    calm = _Groups(rest, voices, is_neutral, _LEAST_NEUTRAL)
    if len(others.means) < 2:
        return None
    both = sorted(set(others.means) & set(calm.means))
    of_neutral = None if neutral is None else usual_of.get(neutral)
    pairs = [(others.means[name], calm.means[name]) for name in both]
    expressed = np.var(list(usual_of.values()), axis=0).mean()
    return LeaningPrior(
        usual=_listed(usual),
        neutral=_listed(usual if of_neutral is None else of_neutral),
        voice_variance=_rounded(others.between),
        turn_variance=_rounded(max(others.within + expressed, _LEAST_VARIANCE)),
        neutral_voice_variance=_rounded(calm.between),
        neutral_turn_variance=_rounded(max(calm.within, _LEAST_VARIANCE)),
        neutral_covariance=_rounded(_covariance(pairs) if len(pairs) > 1 else 0.0),
    )


class _Groups:
    """Answers grouped by voice: the mean of each, and variances, averaged over the labels."""

    def __init__(
        self, rest: Answers, voices: NDArray[np.str_], chosen: NDArray[np.bool_], least: int
    ) -> None:
        of_voice = {str(name): rest[chosen & (voices == name)] for name in np.unique(voices)}
        enough = {name: rows for name, rows in of_voice.items() if len(rows) >= least}
        self.means = {name: rows.mean(axis=0) for name, rows in enough.items()}
        self.within = self.between = 0.0
        if len(enough) > 1:
            self.within = float(np.mean([rows.var(axis=0, ddof=1) for rows in enough.values()]))
            by_chance = self.within * np.mean([1.0 / len(rows) for rows in enough.values()])
            spread = np.var(list(self.means.values()), axis=0, ddof=1).mean()
            self.between = max(0.0, float(spread - by_chance))


def _covariance(pairs: Sequence[tuple[Answers, Answers]]) -> float:
    """The covariance of two answers over the voices, averaged over the labels."""
    first, second = (np.array(side) - np.mean(side, axis=0) for side in zip(*pairs, strict=True))
    return float((first * second).sum(axis=0).mean() / (len(pairs) - 1))


def _listed(values: Answers) -> tuple[float, ...]:
    return tuple(_rounded(value) for value in values)


def _rounded(value: float) -> float:
    return round(float(value), 6)
