"""How far the int8 model's answers are from the float network's, clip by clip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.inference.model import EmotionModel, softmax

Frames = NDArray[np.float32]

_WORST = 5


class ClipDifference(msgspec.Struct, frozen=True, kw_only=True):
    """How far float and int8 differ on one clip."""

    clip: str
    difference: float
    """Largest difference between the two probabilities of a label"""

    float_answer: str
    int8_answer: str


class ParityReport(msgspec.Struct, frozen=True, kw_only=True):
    """Float against int8 on the same clips; rates are fractions."""

    clips: int
    held_out: bool
    """Whether these clips were held out of training; if not, their UAR says nothing about the network"""

    runtime: str
    agreement: float
    """Share of clips with the same most likely label"""

    uar_float: float
    uar_int8: float
    mean_difference: float
    """Mean over the clips of the largest difference between the two probabilities of a label"""

    worst: tuple[ClipDifference, ...]


def compare(
    network: Any,
    model: EmotionModel,
    clips: Sequence[tuple[str, Frames, int]],
    held_out: bool = True,
) -> ParityReport:
    """Run both on the same clips, with windows and averaging as on the device.

    Args:
        network: the Keras network.
        model: the same network as an int8 model file.
        clips: name, frames (n, n_features), and the index of the true label of each clip.
        held_out: whether the clips were held out of training.
    """
    card = model.card
    in_float = []
    for _, frames, _ in clips:
        logits = np.asarray(network(model.windows(frames), training=False))
        in_float.append(softmax(logits / card.temperature).mean(axis=0))
    in_int8 = np.array([model.probabilities(frames) for _, frames, _ in clips])
    expected = np.array(in_float)
    truth = np.array([label for _, _, label in clips])
    differences = np.abs(expected - in_int8).max(axis=1)
    worst = np.argsort(differences)[::-1][:_WORST]
    a, b = expected.argmax(axis=1), in_int8.argmax(axis=1)
    return ParityReport(
        clips=len(clips),
        held_out=held_out,
        runtime=str(model.runtime),
        agreement=round(float((a == b).mean()), 4),
        uar_float=round(_uar(truth, a), 4),
        uar_int8=round(_uar(truth, b), 4),
        mean_difference=round(float(differences.mean()), 4),
        worst=tuple(
            ClipDifference(
                clip=clips[i][0],
                difference=round(float(differences[i]), 4),
                float_answer=card.labels[a[i]],
                int8_answer=card.labels[b[i]],
            )
            for i in worst
        ),
    )


def _uar(truth: NDArray[np.integer[Any]], answer: NDArray[np.integer[Any]]) -> float:
    return float(np.mean([(answer[truth == label] == label).mean() for label in np.unique(truth)]))
