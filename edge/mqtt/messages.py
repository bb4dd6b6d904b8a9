"""The messages that the device publishes: one struct each, and its JSON."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import msgspec

UNCERTAIN = "uncertain"
"""Takes the place of an emotion when the answer is not good enough to name one"""

NONE = "none"
"""Takes the place of an emotion when nothing has been said recently"""

_DIGITS = 4
"""Decimal places: finer than an int8 model can resolve"""

Timestamp = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")]
Probability = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
Coordinate = Annotated[float, msgspec.Meta(ge=-1.0, le=1.0)]
Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]


class Microphone(StrEnum):
    """What the sound source delivers."""

    OK = "ok"
    """Sound"""

    ZEROS = "zeros"
    """Only digital silence: switched off at the device, or broken"""

    SILENT = "silent"
    """Open, but has delivered nothing recently, or nothing yet"""

    LOST = "lost"
    """Cannot be opened: unplugged, busy or failing; the device keeps trying"""

    MUTED = "muted"
    """Closed by a command or by `start_muted`"""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The current state. Retained, so a new subscriber receives it at once; the last value wins."""

    speaking: bool
    """Whether somebody is speaking now"""

    emotion: str
    """The label of the last turn, or `uncertain`, or `none`"""

    confidence: Probability | None = None
    """Calibrated probability of the emotion, 0 to 1; null with `none`"""

    arousal: Coordinate | None = None
    """Calm to excited, -1 to 1; null if unknown"""

    valence: Coordinate | None = None
    """Unpleasant to pleasant, -1 to 1; null if unknown"""

    since: Timestamp
    """Time from which these values hold: UTC, ISO 8601 with milliseconds"""

    provisional: bool = False
    """Whether the emotion is a first guess, made while the turn is still being spoken"""

    microphone: Microphone = Microphone.OK
    """Whether the device hears anything at all; if not, `emotion` is `none`"""


class Doubt(StrEnum):
    """Why an answer is not good enough to name an emotion."""

    CONFIDENCE = "confidence"
    """No label is probable enough"""

    SNR = "snr"
    """The speech is hardly louder than the noise"""

    CLIPPING = "clipping"
    """The speech is louder than the microphone can take"""

    SPEECH = "speech"
    """There is too little speech"""


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One finished stretch of speech."""

    id: Annotated[str, msgspec.Meta(min_length=1)]
    """Unique to the turn, and the same in every delivery of it: a turn may arrive twice, see `new_id`"""

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
    """Calm to excited, -1 to 1; null if the model does not provide it"""

    valence: Coordinate | None = None
    """Unpleasant to pleasant, -1 to 1; null if the model does not provide it"""

    doubts: tuple[Doubt, ...] = ()
    """Why the emotion is `uncertain`; empty when it is not"""

    snr_db: float | None = None
    """Level of the speech above that of the pauses, in decibels; null if no pause has been heard yet"""

    model: str
    """Name of the model"""

    model_sha256: Sha256
    """SHA-256 of the model's flatbuffer, as in its card: 64 hexadecimal digits"""


Count = Annotated[int, msgspec.Meta(ge=0)]
NotNegative = Annotated[float, msgspec.Meta(ge=0.0)]


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The health of the device. Retained, QoS 0, published every minute."""

    at: Timestamp
    """When it was measured: UTC, ISO 8601 with milliseconds"""

    uptime_s: NotNegative
    """Seconds since the daemon started"""

    inference_p50_ms: NotNegative | None = None
    """Median time to recognise a turn, over the last 256, in milliseconds; null before the first"""

    inference_p95_ms: NotNegative | None = None
    """95th percentile of the time to recognise a turn, in milliseconds; null before the first"""

    cpu_percent: NotNegative
    """CPU time since the last report, as a percentage of one core; above 100 if several cores are busy"""

    rss_bytes: Count
    """Resident memory of the process, in bytes"""

    level_dbfs: float | None = None
    """Mean level of the sound since the last report, in dB full scale; null if there was no sound"""

    dropped_samples: Count
    """Samples at 16 kHz dropped since the start because they arrived faster than they were processed"""

    queued_turns: Count
    """Turns that the broker has not acknowledged yet"""

    dropped_turns: Count
    """Turns dropped since the start because too many were queued for the broker, or they were too old"""

    temperature_c: float | None = None
    """Processor temperature in degrees Celsius; null if the board does not report it"""

    throttled: bool | None = None
    """Whether undervoltage or heat slows the board down at present; null if the board does not say"""

    muted: bool
    """Whether the device is muted"""

    sensitivity_db: float
    """Decibels by which speech may be quieter than configured; 0 unless a command has changed it"""

    voice_turns: Count
    """Turns heard from the current voice; back to 0 after a pause in which the speaker may have changed"""

    voice_strength: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
    """Share of the voice's reference in the baseline of a turn, 0 to 1; the rest is the turn's own mean"""

    voice_enrolled: Timestamp | None = None
    """When the voice was enrolled: UTC, ISO 8601 with milliseconds; null if none is enrolled"""

    microphone: Microphone

    microphone_trouble: str | None = None
    """What is wrong with the microphone and what to do about it; null if nothing is wrong"""

    reopened: Count = 0
    """How often the microphone has been reopened since the start"""


def timestamp(moment: datetime) -> str:
    """A moment in UTC, as ISO 8601 with milliseconds and a `Z`.

    Raises:
        ValueError: when the moment has no time zone, because a guess could be wrong.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone; use datetime.now(UTC) or attach one")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def now() -> str:
    """The current time, as `timestamp` writes it."""
    return timestamp(datetime.now(UTC))


def new_id() -> str:
    """A new id for a turn: make it once, when the turn ends, and keep it through every delivery."""
    return uuid.uuid4().hex


def encode(message: State | Turn | Health) -> bytes:
    """The message as JSON in UTF-8: floats rounded to four decimal places, non-finite floats as null."""
    return msgspec.json.encode(_rounded(msgspec.to_builtins(message)))


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        # Adding zero turns -0.0 into 0.0, which is the same number and reads like one.
        return round(value, _DIGITS) + 0.0
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return value
