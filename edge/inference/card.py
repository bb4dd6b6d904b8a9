"""The model card: what a model file says about itself."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import msgspec

from edge.frontend.mfcc_config import FrontendConfigError, MfccConfig
from edge.frontend.tables import mel_filterbank
from edge.inference.errors import ModelFileError
from edge.inference.leaning import LeaningPrior, is_possible, leaning_numbers
from edge.inference.reference import ReferencePrior

FRONTEND = "affectd-mfcc-1"
"""Name of the front end that `edge.frontend` computes; different arithmetic would need a new name."""

_CARD_VERSION = 2
_N_FFT_LIMIT = 1 << 16
_CHOOSE = "choose a model made by affectd-convert"


class ModelCard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that is needed to use a model, and its provenance."""

    card_version: int = _CARD_VERSION

    name: str

    labels: tuple[str, ...]
    """Class names, in the order of the model's outputs"""

    frontend: dict[str, Any]
    """`kind` (see `FRONTEND`), and the fields of `MfccConfig`"""

    n_frames: int
    """Frames in one window"""

    reference: ReferencePrior
    """Prior for the reference point that a turn's frames are taken relative to; see `VoiceReference`"""

    leaning: LeaningPrior | None = None
    """Prior for the voice's leaning, which is subtracted from answers; see `Leaning`. None: not subtracted"""

    mean: tuple[float, ...]
    std: tuple[float, ...]
    """Normalisation of each feature, after subtraction of the reference point: (x - mean) / std"""

    temperature: float = 1.0
    """Divides the logits, so that confidences match observed frequencies (Guo et al., 2017)"""

    uncertain_below: float = 0.0
    """Confidence below which the answer is `uncertain`"""

    circumplex: dict[str, tuple[float, float]]
    """Arousal and valence of each label, each -1..1"""

    flatbuffer_sha256: str = ""
    """SHA-256 of the model without its card, in hex"""

    provenance: dict[str, Any] = {}
    """Corpora, command, seeds, commit, date"""

    metrics: dict[str, Any] = {}
    """Measured figures, by protocol and form"""

    licence: str = ""

    @property
    def mfcc_config(self) -> MfccConfig:
        """The front end that the model was trained on.

        Raises:
            ModelFileError: when this program cannot compute it.
        """
        fields = dict(self.frontend)
        kind = fields.pop("kind", None)
        if kind != FRONTEND:
            raise ModelFileError(
                f"the card asks for the front end {kind!r}, but this affectd computes {FRONTEND!r}: "
                "update affectd, or choose a model made for this version"
            )
        try:
            config = MfccConfig(**fields)
            _check_computable(config)
        except (TypeError, FrontendConfigError) as error:
            raise ModelFileError(
                f"the card's front end cannot be computed here ({error}): update affectd, or choose a model "
                "made for this version"
            ) from error
        return config


def _check_computable(config: MfccConfig) -> None:
    """Raise FrontendConfigError when the front end does not suit a device that captures 16 kHz."""
    heard = MfccConfig().sample_rate
    if config.sample_rate != heard:
        raise FrontendConfigError(f"sample_rate is {config.sample_rate}, but sound is captured at {heard} Hz")
    if config.n_fft > _N_FFT_LIMIT or config.n_mels > config.n_fft:
        raise FrontendConfigError(f"n_fft {config.n_fft} with {config.n_mels} mel filters is out of bounds")
    mel_filterbank(config)


class _Version(msgspec.Struct):
    """The field that cards of every version have."""

    card_version: int = _CARD_VERSION


def describe_frontend(config: MfccConfig) -> dict[str, Any]:
    """The card's `frontend` for a configuration."""
    return {"kind": FRONTEND, **dataclasses.asdict(config)}


def decode_card(text: bytes) -> ModelCard:
    """Read and check a card.

    Raises:
        ModelFileError: when it is not a card, or its fields are inconsistent.
    """
    try:
        # The version comes first, because the fields of a newer card are not known here.
        version = msgspec.json.decode(text, type=_Version).card_version
        if version != _CARD_VERSION:
            raise ModelFileError(
                f"card.json has version {version}, but this affectd reads version {_CARD_VERSION}: update "
                "affectd, or choose a model made for this version"
            )
        card = msgspec.json.decode(text, type=ModelCard)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise ModelFileError(f"card.json is not a card that affectd knows ({error}); {_CHOOSE}") from error
    config = card.mfcc_config
    reference = [getattr(card.reference, name) for name in ReferencePrior.__struct_fields__]
    places = sum(card.circumplex.values(), ())
    numbers = [
        *card.mean,
        *card.std,
        card.temperature,
        card.uncertain_below,
        *places,
        *sum(reference, ()),
        *(leaning_numbers(card.leaning) if card.leaning else ()),
    ]
    rules = (
        (len(card.labels) >= 2, "there are fewer than two labels"),
        (len(set(card.labels)) == len(card.labels), "a label occurs twice"),
        (card.n_frames >= 1, f"n_frames {card.n_frames} is not positive"),
        (len(card.mean) == len(card.std) == config.n_features,
         f"mean and std need {config.n_features} values each, one per feature"),
        (all(len(values) == config.n_features for values in reference),
         f"reference needs {config.n_features} values in each field, one per feature"),
        (card.leaning is None or len(card.leaning.usual) == len(card.leaning.neutral) == len(card.labels),
         f"leaning needs {len(card.labels)} values in usual and in neutral, one per label"),
        (all(map(math.isfinite, numbers)), "a number is not finite"),
        (min(card.std, default=0.0) > 0.0 and card.temperature > 0.0, "std and temperature must be above 0"),
        (min(card.reference.voice_variance, default=0.0) >= 0.0, "voice_variance must be at least 0"),
        (min(card.reference.turn_variance, default=0.0) > 0.0, "turn_variance must be above 0"),
        (min(card.reference.neutral_turn_variance, default=0.0) > 0.0
         and min(card.reference.neutral_variance, default=0.0) >= 0.0,
         "neutral_turn_variance must be above 0, and neutral_variance at least 0"),
        (card.leaning is None or is_possible(card.leaning),
         "leaning needs variances of at least 0, and turn variances above 0"),
        (0.0 <= card.uncertain_below <= 1.0, "uncertain_below must be from 0 to 1"),
        (set(card.circumplex) == set(card.labels), "circumplex must name exactly the labels"),
        (all(-1.0 <= place <= 1.0 for place in places), "circumplex values must be from -1 to 1"),
    )  # fmt: skip
    for holds, message in rules:
        if not holds:
            raise ModelFileError(f"card.json: {message}; {_CHOOSE}")
    return card


def encode_card(card: ModelCard) -> bytes:
    """The card as JSON, indented so that people can read it too."""
    return msgspec.json.format(msgspec.json.encode(card), indent=2)
