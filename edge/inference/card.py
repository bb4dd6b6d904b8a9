"""The card of a model: what the file says of itself."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import msgspec

from edge.frontend.mfcc_config import FrontendConfigError, MfccConfig
from edge.inference.errors import ModelFileError

FRONTEND = "affectd-mfcc-1"
"""Name of the front end that `edge.frontend` computes; another arithmetic would be another name."""


class ModelCard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that is needed to use a model, and where it comes from."""

    card_version: int = 1

    name: str

    labels: tuple[str, ...]
    """Class names, in the order of the model's outputs"""

    frontend: dict[str, Any]
    """`kind` (see `FRONTEND`), and the fields of `MfccConfig`"""

    n_frames: int
    """Frames in one window"""

    centred: bool
    """The frames of a turn are taken less their own mean, before the normalisation"""

    mean: tuple[float, ...]
    std: tuple[float, ...]
    """Normalisation of each coefficient: (x - mean) / std"""

    temperature: float = 1.0
    """Divides the logits, so that confidences become frequencies (Guo et al., 2017)"""

    uncertain_below: float = 0.0
    """Confidence under which the answer is `uncertain`"""

    circumplex: dict[str, tuple[float, float]]
    """Arousal and valence of each label, each -1..1"""

    flatbuffer_sha256: str = ""
    """SHA-256 of the model without its card, in hex"""

    provenance: dict[str, Any] = {}
    """Corpora, command, seeds, commit, date"""

    metrics: dict[str, Any] = {}
    """Measured figures, each under the name of its protocol"""

    licence: str = ""

    @property
    def mfcc_config(self) -> MfccConfig:
        """The front end that the model was trained on.

        Raises:
            ModelFileError: when it is one that this program cannot compute.
        """
        fields = dict(self.frontend)
        kind = fields.pop("kind", None)
        if kind != FRONTEND:
            raise ModelFileError(
                f"the card asks for the front end {kind!r}, and this affectd computes {FRONTEND!r}: "
                "update affectd, or choose a model made for it"
            )
        try:
            return MfccConfig(**fields)
        except (TypeError, FrontendConfigError) as error:
            raise ModelFileError(f"the card's front end cannot be computed here: {error}") from error


def describe_frontend(config: MfccConfig) -> dict[str, Any]:
    """The card's `frontend` for a configuration."""
    return {"kind": FRONTEND, **dataclasses.asdict(config)}


def decode_card(text: bytes) -> ModelCard:
    """Read and check a card.

    Raises:
        ModelFileError: when it is not a card, or does not agree with itself.
    """
    try:
        card = msgspec.json.decode(text, type=ModelCard)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise ModelFileError(f"card.json is not a card of affectd: {error}") from error
    config = card.mfcc_config
    numbers = [
        *card.mean,
        *card.std,
        card.temperature,
        card.uncertain_below,
        *sum(card.circumplex.values(), ()),
    ]
    rules = (
        (card.card_version == 1, f"card_version {card.card_version} is newer than this affectd"),
        (len(card.labels) >= 2, "labels are fewer than two"),
        (len(set(card.labels)) == len(card.labels), "a label stands twice"),
        (card.n_frames >= 1, f"n_frames {card.n_frames} is not positive"),
        (len(card.mean) == len(card.std) == config.n_features,
         f"mean and std need {config.n_features} values each, one per feature"),
        (all(map(math.isfinite, numbers)), "a number is not finite"),
        (min(card.std, default=0.0) > 0.0 and card.temperature > 0.0, "std and temperature must be above 0"),
        (set(card.circumplex) == set(card.labels), "circumplex must name exactly the labels"),
    )  # fmt: skip
    for holds, message in rules:
        if not holds:
            raise ModelFileError(f"card.json: {message}")
    return card


def encode_card(card: ModelCard) -> bytes:
    """The card as JSON, readable by people too."""
    return msgspec.json.format(msgspec.json.encode(card), indent=2)
