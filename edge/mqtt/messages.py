"""What the device says: one struct per message, and its JSON."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import msgspec

UNCERTAIN = "uncertain"
"""Stands in place of an emotion when the answer is not good enough to name one"""

NONE = "none"
"""Stands in place of an emotion when nothing has been said lately"""

_DIGITS = 4
"""Behind the point: finer than an int8 model can tell apart"""

Timestamp = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")]
Probability = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
Coordinate = Annotated[float, msgspec.Meta(ge=-1.0, le=1.0)]
Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]


class Microphone(StrEnum):
    """What comes from the source of the sound."""

    OK = "ok"
    """Sound"""

    ZEROS = "zeros"
    """Nothing but digital silence: switched off at the device, or broken"""

    SILENT = "silent"
    """It is open and gives nothing at all"""

    LOST = "lost"
    """It does not open: unplugged, busy, or failing; it is tried again and again"""

    MUTED = "muted"
    """It is closed, because a command or `start_muted` wants it so"""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The present. Retained, so whoever subscribes learns it at once; the last value wins."""

    speaking: bool
    """Whether somebody is speaking now"""

    emotion: str
    """The label of the last turn, or `uncertain`, or `none`"""

    confidence: Probability | None = None
    """Calibrated probability of the emotion, 0 to 1; null with `none`"""

    arousal: Coordinate | None = None
    """Calm to excited, -1 to 1; null where unknown"""

    valence: Coordinate | None = None
    """Unpleasant to pleasant, -1 to 1; null where unknown"""

    since: Timestamp
    """When these values began to hold: UTC, ISO 8601 with milliseconds"""

    provisional: bool = False
    """The emotion is a first guess at a turn that is still being spoken"""

    microphone: Microphone = Microphone.OK
    """Whether the device hears anything at all; `emotion` is `none` where it does not"""


class Doubt(StrEnum):
    """Why an answer is not good enough to name an emotion."""

    CONFIDENCE = "confidence"
    """No label is probable enough"""

    SNR = "snr"
    """The speech is hardly louder than the noise"""

    CLIPPING = "clipping"
    """The speech is louder than the microphone can take"""

    SPEECH = "speech"
    """There is too little of it"""


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One finished stretch of speech."""

    id: Annotated[str, msgspec.Meta(min_length=1)]
    """Unique to the turn and the same in every delivery of it: a turn may arrive twice, see `new_id`"""

    started: Timestamp
    """Onset of the speech: UTC, ISO 8601 with milliseconds"""

    ended: Timestamp
    """End of the turn, hangover included: UTC, ISO 8601 with milliseconds"""

    duration: Annotated[float, msgspec.Meta(ge=0.0)]
    """Seconds from `started` to `ended`, counted in samples"""

    emotion: str
    """The most probable label, or `uncertain`"""

    confidence: Probability
    """Calibrated probability of the most probable label, 0 to 1"""

    probabilities: dict[str, Probability]
    """Calibrated probability of every label of the model, 0 to 1"""

    arousal: Coordinate | None = None
    """Calm to excited, -1 to 1; null where the model does not say"""

    valence: Coordinate | None = None
    """Unpleasant to pleasant, -1 to 1; null where the model does not say"""

    doubts: tuple[Doubt, ...] = ()
    """Why the emotion is `uncertain`; empty when it is not"""

    snr_db: float | None = None
    """Level of the speech above that of the pauses, in decibels; null where no pause has been heard yet"""

    model: str
    """Name of the model"""

    model_sha256: Sha256
    """SHA-256 of the model's flatbuffer, as in its card: 64 hexadecimal digits"""


Count = Annotated[int, msgspec.Meta(ge=0)]
NotNegative = Annotated[float, msgspec.Meta(ge=0.0)]


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """How the device fares. Retained, every minute, at most once."""

    at: Timestamp
    """When it was measured: UTC, ISO 8601 with milliseconds"""

    uptime_s: NotNegative
    """Seconds since the daemon began"""

    inference_p50_ms: NotNegative | None = None
    """Milliseconds that half of the last 256 turns took to be recognised, at most; null before the first"""

    inference_p95_ms: NotNegative | None = None
    """Milliseconds that 95 of 100 took, at most"""

    cpu_percent: NotNegative
    """Share of one processor core since the last report; several busy cores make more than 100"""

    rss_bytes: Count
    """Memory that the process occupies"""

    level_dbfs: float | None = None
    """Mean level of the sound since the last report, in dB full scale; null where there was none"""

    dropped_samples: Count
    """Samples at 16 kHz, since the start, that came faster than they were recognised"""

    queued_turns: Count
    """Turns that the broker has not acknowledged"""

    dropped_turns: Count
    """Turns, since the start, that were too many or too old to be kept for the broker"""

    temperature_c: float | None = None
    """Degrees Celsius of the processor; null where the board does not say"""

    throttled: bool | None = None
    """Whether the board runs slower now for lack of voltage or for heat; null where it does not say"""

    muted: bool
    """Whether a command has told it not to listen"""

    sensitivity_db: float
    """Decibels by which speech may be quieter than configured; 0 unless a command has changed it"""

    voice_turns: Count
    """Turns heard of the present voice; 0 after a pause in which somebody else may have come"""

    voice_strength: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
    """How much of what a turn is judged against is that voice's reference: 0 none, 1 all"""

    voice_enrolled: Timestamp | None = None
    """When the voice was enrolled: UTC, ISO 8601 with milliseconds; null while none is"""

    microphone: Microphone

    microphone_trouble: str | None = None
    """What is wrong with the microphone and what to do about it; null when nothing is"""

    reopened: Count = 0
    """How often the microphone was opened again, since the start"""


def timestamp(moment: datetime) -> str:
    """A moment in UTC, as ISO 8601 with milliseconds and a `Z`.

    Raises:
        ValueError: when the moment has no time zone: whose clock it was read from is not for us to guess.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone; use datetime.now(UTC) or attach one")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def now() -> str:
    """The present moment, as `timestamp` writes it."""
    return timestamp(datetime.now(UTC))


def new_id() -> str:
    """An id for a turn: make it once, when the turn ends, and keep it through every delivery."""
    return uuid.uuid4().hex


def encode(message: State | Turn | Health) -> bytes:
    """The message as JSON in UTF-8, floats rounded to four digits, a float that is not finite as null."""
    return msgspec.json.encode(_rounded(msgspec.to_builtins(message)))


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        # Adding zero turns -0.0 into 0.0, which is the same number and reads like one.
        return round(value, _DIGITS) + 0.0
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return value
