"""A finished run that another run starts from: other clips, perhaps other labels, the same front end."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import msgspec
import numpy as np
from numpy.typing import NDArray

from training.branches import heads
from training.errors import WorkbenchError
from training.networks.views import without_views
from training.recipe import Recipe
from training.run_folder import DamagedRunError, RunInfo, is_finished, read_info

Frames = NDArray[np.float32]


class BaseError(WorkbenchError):
    """Raised when a run cannot start from another; the message says why."""


@dataclass(frozen=True)
class Base:
    """A finished run. Its network is loaded on first use: a run that is finished already does not need it."""

    folder: Path
    info: RunInfo

    @cached_property
    def network(self) -> Any:
        """The network that the run ended with, without views: it classifies each window once.

        Raises:
            DamagedRunError: when its file is damaged.
        """
        # Keras would report that such a file does not exist.
        if not zipfile.is_zipfile(self._file):
            raise DamagedRunError.of(self._file, "not a Keras archive")
        try:
            return without_views(keras.models.load_model(self._file, compile=False))
        except (ValueError, OSError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise DamagedRunError.of(self._file, error) from error

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the network's file."""
        return hashlib.sha256(self._file.read_bytes()).hexdigest()

    @cached_property
    def mean(self) -> Frames:
        """Mean by which it normalises frames (n_features,)."""
        return np.array(self.info.mean, np.float32)

    @cached_property
    def std(self) -> Frames:
        """Standard deviation by which it normalises frames (n_features,)."""
        return np.array(self.info.std, np.float32)

    @property
    def _file(self) -> Path:
        return self.folder / "network.keras"

    def hand_over(self, network: Any, labels: Sequence[str]) -> None:
        """Copy the weights into another network of this shape; a new label's output keeps its random ones.

        Raises:
            BaseError: when a layer has another shape, as in networks of older versions.
        """
        answering = heads(network)
        for layer, teacher in zip(network.layers, self.network.layers, strict=True):
            if layer not in answering and not isinstance(layer, keras.layers.Dropout) and teacher.weights:
                if _shapes(layer) != _shapes(teacher):
                    raise BaseError(f"{self.folder}: trained by another version of affectd; train it again")
                layer.set_weights(teacher.get_weights())
        for head, knows in zip(answering, heads(self.network), strict=True):
            (kernel, bias), (known_kernel, known_bias) = head.get_weights(), knows.get_weights()
            for i, label in enumerate(labels):
                if label in self.info.labels:
                    at = self.info.labels.index(label)
                    kernel[:, i], bias[i] = known_kernel[:, at], known_bias[at]
            head.set_weights([kernel, bias])


def _shapes(layer: Any) -> list[tuple[int, ...]]:
    return [tuple(weight.shape) for weight in layer.weights]


def read_base(folder: Path) -> Base:
    """The finished run in a folder, to start or learn from.

    Raises:
        BaseError: when there is none.
        DamagedRunError: when its description cannot be read.
    """
    if not (is_finished(folder) and (folder / "network.keras").is_file()):
        raise BaseError(
            f"{folder}: no finished run to start or learn from; name the folder of an `affectd-train fit` or "
            "of `make model` (the form multi needs `affectd-train evaluate --protocol P9` first, with the "
            "same --runs)"
        )
    return Base(folder, read_info(folder))


def base_for(recipe: Recipe, folder: Path) -> Base:
    """The finished run in a folder, for a run by this recipe to start from.

    Raises:
        BaseError: when there is none, or its network, front end or window length is not the recipe's.
    """
    base = read_base(folder)
    theirs, ours = _trained(base.info.recipe), _trained(recipe)
    differing = [
        name for name in ("n_frames", "frontend", "network") if getattr(theirs, name) != getattr(ours, name)
    ]
    if differing:
        raise BaseError(f"{folder}: does not have the same {' and '.join(differing)} as the recipe")
    return base


def _trained(recipe: Recipe) -> Recipe:
    """The recipe without views, which a network gets only after training."""
    return msgspec.structs.replace(recipe, network=msgspec.structs.replace(recipe.network, views=()))
