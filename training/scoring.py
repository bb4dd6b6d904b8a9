"""A float network's answers to whole clips, over the same windows as on the device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.inference.leaning import answer_of
from edge.inference.model import mean_probabilities
from edge.inference.reference import ReferencePrior
from edge.inference.windows import cut_windows
from training.features import Example
from training.histories import unheard
from training.run_folder import WINDOW_HOP

Frames = NDArray[np.float32]


def clip_logits(
    network: Any, examples: Sequence[Example], mean: Frames, std: Frames, n_frames: int
) -> list[Frames]:
    """The float network's logits of the windows of each clip, (windows, n_labels) each.

    The frames must be as the network is to see them, except for the normalisation.
    """
    if not examples:
        return []
    windows = [cut_windows((e.frames - mean) / std, n_frames, WINDOW_HOP) for e in examples]
    ends = np.cumsum([len(w) for w in windows])
    logits = np.asarray(network.predict(np.concatenate(windows), batch_size=128, verbose=0))
    return np.split(logits, ends[:-1])


def clip_answers(logits: Sequence[Frames], temperature_: float) -> NDArray[np.integer[Any]]:
    """The likeliest label of each clip, from the mean of its windows' probabilities."""
    return np.array([mean_probabilities(x, temperature_).argmax() for x in logits])


def truth_of(examples: Sequence[Example], labels: Sequence[str]) -> NDArray[np.integer[Any]]:
    """The index of each clip's label."""
    return np.array([labels.index(e.clip.emotion) for e in examples], dtype=np.int64)


def unheard_answers(
    network: Any,
    examples: Sequence[Example],
    prior: ReferencePrior,
    normalisation: tuple[Frames, Frames],
    n_frames: int,
    temperature_: float,
) -> NDArray[np.float64]:
    """A network's answers (clips, n_labels) to clips, each by itself; see `edge.inference.leaning`."""
    logits = clip_logits(network, unheard(examples, prior), *normalisation, n_frames)
    return np.array([answer_of(mean_probabilities(x, temperature_)) for x in logits])
