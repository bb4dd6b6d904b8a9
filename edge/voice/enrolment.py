"""What is kept of an enrolled voice: a mean spectrum in a few dozen numbers, no sound, no name, no words."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import numpy as np

from edge.frontend.mfcc_config import MfccConfig
from edge.inference.card import describe_frontend
from edge.inference.reference import VoiceReference

VERSION = 1


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

    def teach(self, reference: VoiceReference) -> None:
        """Have a reference know the voice; the turns that it has heard are forgotten."""
        reference.reset()
        reference.enrol([np.asarray(self.mean)] * self.turns)


def frontend_of(config: MfccConfig) -> dict[str, Any]:
    """A front end as it is read back from JSON."""
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(describe_frontend(config)))
    return found
