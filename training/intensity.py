"""Whether the arousal that the device publishes rises with the intensity that an actor was asked for.

The actors of RAVDESS say each sentence in each emotion except neutral at normal and at strong intensity. The
model was never told the intensity, and arousal is a mean over its labels: only the voice can make it rise.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.inference.circumplex import circumplex
from training.fold import FoldResult

CORPUS = "ravdess"
_NORMAL, _STRONG = "01", "02"
_DRAWS = 1000


def arousal_by_intensity(results: Sequence[FoldResult], labels: Sequence[str]) -> dict[str, Any] | None:
    """Mean arousal at both intensities, and how much it rises from normal to strong in pairs of clips.

    A pair is the same actor, emotion, sentence and take. The interval is a 95 % bootstrap over actors.

    Args:
        results: of a protocol that tests on RAVDESS speech; without a pair of clips, the result is None.
        labels: of the probabilities in the results, in order.
    """
    weights = np.array([circumplex(label)[0] for label in labels])
    known: dict[tuple[int, str, str], dict[str, float]] = {}
    for result in results:
        for name, corpus, speaker, truth, given in zip(
            result.clips,
            result.corpora,
            result.speakers,
            result.truth,
            result.int8_probabilities,
            strict=True,
        ):
            parts = PurePath(name).stem.split("-")
            if corpus == CORPUS and len(parts) == 7:
                key = (result.seed, speaker, "-".join((labels[truth], *parts[4:6], parts[2])))
                known.setdefault(key, {})[parts[3]] = float(weights @ np.array(given))
    pairs = {key: both for key, both in known.items() if both.keys() >= {_NORMAL, _STRONG}}
    if not pairs:
        return None
    emotions = np.array([key[2].partition("-")[0] for key in pairs])
    actors = np.array([key[1] for key in pairs])
    normal, strong = (np.array([both[which] for both in pairs.values()]) for which in (_NORMAL, _STRONG))
    rise = strong - normal
    return {
        "pairs": len(pairs),
        "rise": round(float(rise.mean()), 4),
        "rise_ci95": _interval(rise, actors),
        "by_emotion": {
            str(emotion): {
                "normal": round(float(normal[emotions == emotion].mean()), 4),
                "strong": round(float(strong[emotions == emotion].mean()), 4),
                "rising": round(float(np.mean(rise[emotions == emotion] > 0.0)), 4),
            }
            for emotion in np.unique(emotions)
        },
    }


def _interval(rise: NDArray[np.float64], actors: NDArray[np.str_]) -> list[float]:
    rows = [rise[actors == actor] for actor in np.unique(actors)]
    rng = np.random.default_rng(0)
    means = [
        float(np.concatenate([rows[i] for i in rng.integers(0, len(rows), len(rows))]).mean())
        for _ in range(_DRAWS)
    ]
    return [round(float(bound), 4) for bound in np.percentile(means, [2.5, 97.5])]
