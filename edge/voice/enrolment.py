"""What is kept of an enrolled voice: a mean spectrum and a mean answer, fifty numbers; no sound, no name."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import numpy as np

from edge.frontend.mfcc_config import MfccConfig
from edge.inference.card import ModelCard, describe_frontend
from edge.inference.voice import Voice

VERSION = 1


class MeanAnswer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a model answers to a voice; says nothing to another model."""

    model_sha256: str
    """See `ModelCard.flatbuffer_sha256`"""

    answer: tuple[float, ...]
    """Of each label, over the stretches; see `edge.inference.leaning`"""


class Enrolment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a speaker sounds when neutral, through one microphone in one room."""

    version: int = VERSION

    at: str
    """When: UTC, ISO 8601"""

    turns: Annotated[int, msgspec.Meta(ge=1, le=1000)]
    """Stretches of speech that it is the mean of"""

    speech_s: Annotated[float, msgspec.Meta(ge=0.0)]
    """Seconds of speech in them"""

    frontend: dict[str, Any]
    """Of the model that it was made for; see `ModelCard.frontend`"""

    mean: tuple[float, ...]
    """Of each feature, over the stretches"""

    answered: MeanAnswer | None = None
    """By the model that was in use"""

    def misfit(self, config: MfccConfig) -> str | None:
        """Why a model with this front end cannot use it, and what to do; None where it can."""
        fits = self.frontend == frontend_of(config) and len(self.mean) == config.n_features
        if fits and self.version == VERSION:
            return None
        return (
            f"the voice enrolled at {self.at} was heard through another front end than that of this model: "
            "enrol it again (`affectd enrol`, or command/enrol), or remove it (`affectd enrol --forget`, or "
            "command/forget)"
        )

    def teach(self, voice: Voice, card: ModelCard) -> None:
        """Have the voice known to the model of this card; the turns that were heard are forgotten."""
        answered = self.answered
        is_of_model = (
            answered is not None
            and answered.model_sha256 == card.flatbuffer_sha256
            and len(answered.answer) == len(card.labels)
        )
        answers = [np.asarray(answered.answer)] * self.turns if answered and is_of_model else []
        voice.reset()
        voice.enrol([np.asarray(self.mean)] * self.turns, answers)


def frontend_of(config: MfccConfig) -> dict[str, Any]:
    """A front end as it is read back from JSON."""
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(describe_frontend(config)))
    return found
