"""A recipe: all settings of a training run, in one TOML file that can be kept and compared."""

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
"""Range of the factors in `views`: no two people's vocal tracts differ by more"""


class NetworkSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Shape and size of the network."""

    shape: Literal["residual", "temporal", "light_sernet", "lstm", "crnn"] = "residual"
    """Architecture, named after its file in `training/networks/`: `residual` is the shipped one, the others
    are for comparison"""

    width: int = 32
    """Channels of the first stage, at least 16; the other layers scale with it"""

    dropout: float = 0.2
    """Dropout rate before the output layer, from 0 to below 1. `residual` and `temporal` also drop at half
    this rate after each stage, `lstm` and `crnn` at the full rate before their last LSTM layer"""

    pooling: Literal["mean", "places", "peaks", "attention"] = "mean"
    """For `residual`: how the last feature map (time, cepstrum, channels) becomes one vector. `mean`: mean
    over time and cepstrum; `places`: mean over time for each place of the cepstrum; `peaks`: mean and
    maximum; `attention`: mean with learned weights (Safari et al., 2020)"""

    temporal: int = 16
    """For `residual`: width of a second branch of convolutions over time alone, at least 8. Each branch is
    trained with its own loss, and the output is the mean of their logits. 0: no second branch"""

    separable: bool = False
    """For `residual`: replace each 3 x 3 convolution by a depthwise-separable one"""

    bands: bool = False
    """For `residual`: convert the cepstrum to mel bands first, by a dense layer that starts as the inverse
    DCT and is trained with the rest"""

    views: tuple[float, ...] = ()
    """For `residual`, after training: classify each window once for each of these factors, 0.5 to 2.0, by
    which the mel axis is stretched, and average the logits. An inference then costs as many times as much;
    see `training.networks.views`. Empty: classify it once, unstretched"""

    def __post_init__(self) -> None:
        if self.width < _LEAST_WIDTH:
            raise ValueError(f"width is {self.width}: it must be at least {_LEAST_WIDTH}")
        if self.temporal and 2 * self.temporal < _LEAST_WIDTH:
            raise ValueError(f"temporal is {self.temporal}: it must be 0, or at least {_LEAST_WIDTH // 2}")
        if not 0.0 <= self.dropout < 1.0:
            raise ValueError(f"dropout is {self.dropout}: it must be from 0 to below 1")
        if self.views and self.shape != "residual":
            raise ValueError(f"views need the residual network, but shape is {self.shape!r}")
        if not all(_LEAST_STRETCH <= factor <= _MOST_STRETCH for factor in self.views):
            raise ValueError(f"views must be from {_LEAST_STRETCH} to {_MOST_STRETCH} each: {self.views}")


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to train one network. The recipes that come with affectd change some of these defaults."""

    name: str = "affectd"
    """Name of the model, in its card and in every message"""

    n_frames: int = 256
    """Frames in one window, at least 8; 256 are 2.56 s at a hop of 10 ms"""

    frontend: dict[str, Any] = msgspec.field(default_factory=lambda: {"pitch": True})
    """Fields of `MfccConfig` that differ from its defaults. A recipe's own `[frontend]` table replaces this
    whole default"""

    network: NetworkSettings = NetworkSettings()

    augment: AugmentSettings = AugmentSettings()

    history: HistorySettings = HistorySettings()

    epochs: int = 60
    """Epochs to train, at least 1; `steps`, if set, replaces it"""

    steps: int = 0
    """Batches to train on in all. Above 0, it sets `epochs` to the fewest that reach so many batches, so that
    a small corpus is repeated more often; 0: `epochs` counts"""

    patience: int = 0
    """Early stopping: epochs without a better UAR on the validation speakers after which training ends and
    the best epoch's weights are restored. 0: train all epochs and keep the last weights"""

    batch_size: int = 32
    """Windows in one batch, at least 1"""

    learning_rate: float = 2e-3
    """Peak learning rate of AdamW, above 0: reached after a linear warm-up of three epochs, or of half of all
    epochs if that is less, and followed by a cosine decay to 1 % of it"""

    weight_decay: float = 1e-3
    """Decoupled weight decay of AdamW, at least 0"""

    label_smoothing: float = 0.1
    """Share of each target that is spread evenly over all labels, from 0 to below 1"""

    corpus_balance: float = 0.0
    """How evenly corpora of different sizes are drawn in training, 0 to 1. 0: in proportion to their clips;
    1: all equally often; in between: in proportion to clips ** (1 - corpus_balance)"""

    speaker_balance: float = 0.0
    """The same for the speakers within a corpus: with 1, all speakers of a corpus are drawn equally often"""

    validation_speakers: int = 4
    """Speakers held out of training, for early stopping and for fitting the temperature, at least 0; with
    fewer than two, the temperature is 1"""

    one_speaker: bool = False
    """Allow training on a single speaker, as in protocol P3; such a network knows that voice only"""

    base_share: float = 0.0
    """If training starts from a finished run (`--base`): share of that run's weights in the mean of them and
    the trained ones that is kept, from 0 to below 1 (Wortsman et al., "Robust fine-tuning of zero-shot
    models", 2022). 0: keep the trained weights"""

    taught: float = 0.0
    """Knowledge distillation: share of the training target, 0 to 1, that is the mean output of finished
    networks, the teachers (`--teachers`); the rest is the label. 0: no teachers"""

    uncertain_below: float = 0.4
    """Calibrated confidence, 0 to 1, below which the device answers `uncertain`"""

    circumplex: dict[str, tuple[float, float]] = {}
    """Arousal and valence, each -1 to 1, by label; needed for labels without a position in
    `edge.inference.circumplex`"""

    seed: int = 0
    """Seed of everything that is drawn at random, at least 0: validation speakers, initial weights, order of
    the clips, augmentation, dropout"""

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
                "arousal and valence in circumplex must be from -1 to 1",
            ),
            (self.seed >= 0, f"seed is {self.seed}: it must be at least 0"),
        )
        for holds, message in rules:
            if not holds:
                raise ValueError(message)

    def for_clips(self, clips: int) -> Recipe:
        """This recipe for a number of training clips: with `epochs` computed from `steps`, if that is set."""
        if not self.steps:
            return self
        batches = max(1, clips // self.batch_size)
        return msgspec.structs.replace(self, epochs=-(-self.steps // batches), steps=0)

    @property
    def mfcc_config(self) -> MfccConfig:
        """The front end; raises FrontendConfigError when its fields are invalid."""
        return MfccConfig(**self.frontend)

    @property
    def features(self) -> str:
        """What the network sees of each frame, in words."""
        config = self.mfcc_config
        return f"{config.n_mfcc} MFCCs{', pitch and voicing' if config.pitch else ''}"


def load_recipe(path: Path | None) -> Recipe:
    """Read a recipe from TOML; without a path, the defaults.

    Raises:
        RecipeError: when the file is missing or is not a valid recipe.
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
    # Labels are in lower case everywhere, whatever a CSV or a command writes.
    lowered = {label.lower(): place for label, place in recipe.circumplex.items()}
    return msgspec.structs.replace(recipe, circumplex=lowered)


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
    """The file that a user means: a path or, if there is none such, the name of a shipped recipe."""
    path = Path(text)
    return path if path.exists() else shipped_recipes().get(text, path)
