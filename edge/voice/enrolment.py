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
    """A model's mean answer to a voice; meaningless to any other model."""

    model_sha256: str
    """See `ModelCard.flatbuffer_sha256`"""

    answer: tuple[float, ...]
    """Mean over the stretches for each label; see `edge.inference.leaning`"""


class Enrolment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a speaker sounds when neutral, through one microphone in one room."""

    version: int = VERSION

    at: str
    """Time of the enrolment: UTC, ISO 8601"""

    turns: Annotated[int, msgspec.Meta(ge=1, le=1000)]
    """Stretches of speech that the mean is taken over"""

    speech_s: Annotated[float, msgspec.Meta(ge=0.0)]
    """Seconds of speech in them"""

    frontend: dict[str, Any]
    """Front end of the model that it was made for; see `ModelCard.frontend`"""

    mean: tuple[float, ...]
    """Mean of each feature over the stretches"""

    answered: MeanAnswer | None = None
    """Answer of the model that was in use"""

    def misfit(self, config: MfccConfig) -> str | None:
        """Why a model with this front end cannot use it, and what to do; None if it can."""
        fits = self.frontend == frontend_of(config) and len(self.mean) == config.n_features
        if fits and self.version == VERSION:
            return None
        return (
            f"the voice enrolled at {self.at} was heard through a different front end than this model's; "
            "enrol it again (`affectd enrol`, or command/enrol), or remove it (`affectd enrol --forget`, or "
            "command/forget)"
        )

    def teach(self, voice: Voice, card: ModelCard) -> None:
        """Enrol the voice for the model of this card; forget the turns heard so far."""
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
    """The description of a front end, as it is read back from JSON."""
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(describe_frontend(config)))
    return found
