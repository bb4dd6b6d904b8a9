"""A finished run whose network another run starts from: other clips, perhaps other labels, the same ear."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.inference.reference import ReferencePrior
from training.errors import WorkbenchError
from training.recipe import Recipe

Frames = NDArray[np.float32]


class BaseError(WorkbenchError):
    """Raised when a run cannot start from another; the message says why."""


class _Told(msgspec.Struct):
    """Of a finished run's `run.json`, what matters to the one that starts from it."""

    labels: tuple[str, ...]
    recipe: Recipe
    mean: tuple[float, ...]
    std: tuple[float, ...]
    prior: ReferencePrior


@dataclass(frozen=True)
class Base:
    """A network that has learned, and how its windows were made."""

    network: Any
    labels: tuple[str, ...]
    mean: Frames
    std: Frames
    prior: ReferencePrior
    sha256: str
    """Of the file of the network"""

    def hand_over(self, network: Any, labels: Sequence[str]) -> None:
        """Give another network of the shape what was learned; a new label's output starts from chance."""
        *body, head = network.layers
        *taught, knows = self.network.layers
        for layer, teacher in zip(body, taught, strict=True):
            if teacher.weights and not isinstance(layer, keras.layers.Dropout):
                layer.set_weights(teacher.get_weights())
        (kernel, bias), (known_kernel, known_bias) = head.get_weights(), knows.get_weights()
        for i, label in enumerate(labels):
            if label in self.labels:
                at = self.labels.index(label)
                kernel[:, i], bias[i] = known_kernel[:, at], known_bias[at]
        head.set_weights([kernel, bias])


def load_base(folder: Path, recipe: Recipe) -> Base:
    """The finished run in a folder, for a run by this recipe to start from.

    Raises:
        BaseError: when there is none, or its network or front end is another than the recipe's.
    """
    told, network = folder / "run.json", folder / "network.keras"
    if not (told.is_file() and network.is_file()):
        raise BaseError(
            f"{folder}: no finished run to start from; train it first (for the form multi: `affectd-train "
            "evaluate --protocol P9` with the same --runs)"
        )
    info = msgspec.json.decode(told.read_bytes(), type=_Told)
    differing = [
        name
        for name in ("n_frames", "frontend", "network")
        if getattr(info.recipe, name) != getattr(recipe, name)
    ]
    if differing:
        raise BaseError(f"{folder}: has other {' and '.join(differing)} than the recipe")
    return Base(
        keras.models.load_model(network, compile=False),
        info.labels,
        np.array(info.mean, np.float32),
        np.array(info.std, np.float32),
        info.prior,
        hashlib.sha256(network.read_bytes()).hexdigest(),
    )
