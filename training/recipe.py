"""A recipe: every choice of a training run, in one file that can be kept and compared."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from edge.frontend.mfcc_config import MfccConfig
from training.augment import AugmentSettings, check_augmentable
from training.errors import WorkbenchError
from training.histories import HistorySettings


class RecipeError(WorkbenchError):
    """Raised when a recipe file cannot be used; the message says where and why."""


_LEAST_WIDTH = 16
"""Below this, the gradient of a convolution crashes in TensorFlow 2.21's oneDNN kernels"""

_LEAST_STRETCH, _MOST_STRETCH = 0.5, 2.0
"""No two people's vocal tracts differ by more"""


class NetworkSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Shape and size of the network."""

    shape: Literal["residual", "temporal", "light_sernet", "lstm", "crnn"] = "residual"
    """A file of `training/networks/`: the shipped one, or one that it is compared with"""

    width: int = 32
    """Channels of the first stage, at least 16; the later ones are a multiple of it"""

    dropout: float = 0.2
    """Share of features dropped before the last layer; half of it behind each stage"""

    pooling: Literal["mean", "places", "peaks", "attention"] = "mean"
    """Of the residual network. What becomes of all moments: their mean, that of each place of the cepstrum,
    mean and peak, or a mean that weighs them (Safari et al., 2020)"""

    temporal: int = 16
    """Of the residual network: width of a second branch, of convolutions over time alone, which learns from
    its own error; the answer is the mean of both. 0: none"""

    separable: bool = False
    """Of the residual network: each 3 x 3 convolution as one of each channel and one over channels"""

    bands: bool = False
    """Of the residual network: turn the cepstrum into mel bands first, by a layer that may learn better"""

    views: tuple[float, ...] = ()
    """Of the residual network, once it is trained: each window is judged so many times, with the mel axis
    stretched by these factors, and costs as many times as much; see `training.networks.views`. Empty: once"""

    def __post_init__(self) -> None:
        if self.width < _LEAST_WIDTH:
            raise ValueError(f"width is {self.width}: a network is to be trained with {_LEAST_WIDTH} or more")
        if self.temporal and 2 * self.temporal < _LEAST_WIDTH:
            raise ValueError(f"temporal is {self.temporal}: it must be 0, or at least {_LEAST_WIDTH // 2}")
        if not 0.0 <= self.dropout < 1.0:
            raise ValueError(f"dropout is {self.dropout}: it must be from 0 to below 1")
        if self.views and self.shape != "residual":
            raise ValueError(f"views are for the residual network alone, and shape is {self.shape!r}")
        if not all(_LEAST_STRETCH <= factor <= _MOST_STRETCH for factor in self.views):
            raise ValueError(f"views are factors from {_LEAST_STRETCH} to {_MOST_STRETCH}: {self.views}")


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to train one network. The defaults are what the recipes that come with affectd build on."""

    name: str = "affectd"
    """Of the model, in its card and in every message"""

    n_frames: int = 256
    """Frames in one window: 2.56 s at a hop of 10 ms"""

    frontend: dict[str, Any] = msgspec.field(default_factory=lambda: {"pitch": True})
    """Fields of `MfccConfig` that differ from its defaults; a recipe's own table replaces this one whole"""

    network: NetworkSettings = NetworkSettings()

    augment: AugmentSettings = AugmentSettings()

    history: HistorySettings = HistorySettings()

    epochs: int = 60

    steps: int = 0
    """Batches to train on; above 0 it sets the epochs, so that small corpora are seen more often"""

    patience: int = 0
    """Epochs without a better UAR on the validation speakers before the run ends and the best epoch's weights
    are put back; 0 runs all epochs and keeps the last"""

    batch_size: int = 32

    learning_rate: float = 2e-3
    """Peak of a warm-up over three epochs, at most half of them, that is followed by half a cosine"""

    weight_decay: float = 1e-3

    label_smoothing: float = 0.1

    corpus_balance: float = 0.0
    """0: a corpus is seen as often as it has clips; 1: each corpus as often as any other; between: between"""

    speaker_balance: float = 0.0
    """The same for the speakers of a corpus: with 1, each is heard as often as any other of that corpus"""

    validation_speakers: int = 4
    """Speakers taken out of the training clips, to fit the temperature and to end the run early; with fewer
    than two the temperature is 1"""

    one_speaker: bool = False
    """Train even on a single speaker, as protocol P3 does; what comes of it knows that voice only"""

    base_share: float = 0.0
    """Where the training goes on from a finished run: share of that one's weights in those that are kept
    (Wortsman et al., "Robust fine-tuning of zero-shot models", 2022)"""

    taught: float = 0.0
    """Share of what is learned that are answers of finished networks, the teachers, in place of the labels"""

    uncertain_below: float = 0.4
    """Calibrated confidence under which the device answers `uncertain`"""

    circumplex: dict[str, tuple[float, float]] = {}
    """Arousal and valence, each -1 to 1, of labels that have no place in `edge.inference.circumplex`"""

    seed: int = 0

    def __post_init__(self) -> None:
        rules = (
            (self.n_frames >= 8, f"n_frames is {self.n_frames}: it must be at least 8"),
            (self.epochs >= 1, f"epochs is {self.epochs}: it must be at least 1"),
            (self.steps >= 0, f"steps is {self.steps}: it must be at least 0"),
            (self.patience >= 0, f"patience is {self.patience}: it must be at least 0"),
            (self.batch_size >= 1, f"batch_size is {self.batch_size}: it must be at least 1"),
            (self.learning_rate > 0.0, f"learning_rate is {self.learning_rate}: it must be above 0"),
            (self.weight_decay >= 0.0, f"weight_decay is {self.weight_decay}: it must be at least 0"),
            (0.0 <= self.label_smoothing < 1.0, "label_smoothing must be from 0 to below 1"),
            (0.0 <= self.corpus_balance <= 1.0, "corpus_balance must be from 0 to 1"),
            (0.0 <= self.speaker_balance <= 1.0, "speaker_balance must be from 0 to 1"),
            (0.0 <= self.base_share < 1.0, "base_share must be from 0 to below 1"),
            (0.0 <= self.taught <= 1.0, "taught must be from 0 to 1"),
            (self.validation_speakers >= 0, "validation_speakers must be at least 0"),
            (0.0 <= self.uncertain_below <= 1.0, "uncertain_below must be from 0 to 1"),
            (
                all(-1.0 <= x <= 1.0 for place in self.circumplex.values() for x in place),
                "circumplex must stay from -1 to 1",
            ),
            (self.seed >= 0, f"seed is {self.seed}: it must be at least 0"),
        )
        for holds, message in rules:
            if not holds:
                raise ValueError(message)

    def for_clips(self, clips: int) -> Recipe:
        """This recipe with its epochs set, where `steps` decides over them, for so many training clips."""
        if not self.steps:
            return self
        batches = max(1, clips // self.batch_size)
        return msgspec.structs.replace(self, epochs=-(-self.steps // batches), steps=0)

    @property
    def mfcc_config(self) -> MfccConfig:
        """The front end; raises FrontendConfigError when its fields make no sense."""
        return MfccConfig(**self.frontend)

    @property
    def features(self) -> str:
        """What the network sees of each frame, in words."""
        config = self.mfcc_config
        return f"{config.n_mfcc} MFCCs{', pitch and voicing' if config.pitch else ''}"


def load_recipe(path: Path | None) -> Recipe:
    """Read a recipe from TOML; without a path, the defaults.

    Raises:
        RecipeError: when the file is missing or holds what is no recipe.
    """
    if path is None:
        return Recipe()
    try:
        recipe = msgspec.toml.decode(path.read_bytes(), type=Recipe)
        _check_names(recipe.frontend)
        check_augmentable(recipe.mfcc_config)
    except OSError as error:
        raise RecipeError(
            f"{path}: cannot be read: {error.strerror}; name a TOML file, or a recipe that comes with "
            f"affectd: {', '.join(shipped_recipes())}"
        ) from error
    except (msgspec.DecodeError, TypeError, ValueError) as error:
        raise RecipeError(f"{path}: {error}") from error
    return recipe


def _check_names(frontend: Mapping[str, Any]) -> None:
    known = [field.name for field in dataclasses.fields(MfccConfig)]
    for name in frontend:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"it has {', '.join(known)}"
            raise ValueError(f"[frontend] has no field {name}; {hint}")


def shipped_recipes() -> dict[str, Path]:
    """The recipes that come with affectd, by name."""
    return {path.stem: path for path in sorted((Path(__file__).parent / "recipes").glob("*.toml"))}


def recipe_file(text: str) -> Path:
    """The file that a user means: a path, or the name of a shipped recipe where there is no such path."""
    path = Path(text)
    return path if path.exists() else shipped_recipes().get(text, path)
