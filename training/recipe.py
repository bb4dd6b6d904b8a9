"""A recipe: every choice of a training run, in one file that can be kept and compared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from edge.frontend.mfcc_config import MfccConfig
from training.augment import AugmentSettings
from training.networks import NetworkSettings


class RecipeError(ValueError):
    """Raised when a recipe file cannot be used; the message says where and why."""


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to train one network. The defaults are the shipped model's."""

    name: str = "affectd"
    """Of the model, in its card and in every message"""

    n_frames: int = 256
    """Frames in one window: 2.56 s at a hop of 10 ms"""

    frontend: dict[str, Any] = {}
    """Fields of `MfccConfig` that differ from its defaults"""

    centred: bool = True
    """Take each clip's frames less their own mean, so that level and microphone do not count"""

    network: NetworkSettings = NetworkSettings()

    augment: AugmentSettings = AugmentSettings()

    epochs: int = 60

    patience: int = 0
    """Epochs without a better UAR on the validation speakers before the run ends; 0 runs them all"""

    batch_size: int = 32

    learning_rate: float = 2e-3
    """Peak of a warm-up over three epochs that is followed by half a cosine"""

    weight_decay: float = 1e-3

    label_smoothing: float = 0.1

    validation_speakers: int = 4
    """Speakers taken out of the training clips to pick the epoch and fit the temperature; with 0 the last
    epoch counts and the temperature is 1"""

    uncertain_below: float = 0.4
    """Calibrated confidence under which the device answers `uncertain`"""

    seed: int = 0

    @property
    def mfcc_config(self) -> MfccConfig:
        """The front end; raises FrontendConfigError when its fields make no sense."""
        return MfccConfig(**self.frontend)


def load_recipe(path: Path | None) -> Recipe:
    """Read a recipe from TOML; without a path, the shipped model's.

    Raises:
        RecipeError: when the file is missing or holds what is no recipe.
    """
    if path is None:
        return Recipe()
    try:
        recipe = msgspec.toml.decode(path.read_bytes(), type=Recipe)
        recipe.mfcc_config  # noqa: B018  # checks the fields
    except OSError as error:
        raise RecipeError(f"{path}: cannot be read: {error.strerror}") from error
    except (msgspec.DecodeError, TypeError, ValueError) as error:
        raise RecipeError(f"{path}: {error}") from error
    return recipe
