"""The health of the device: figures on recognition, outbox and board, in one message."""

from __future__ import annotations

import math
import os
import threading
import time
from collections import deque
from pathlib import Path
from typing import Protocol

import numpy as np

from edge.audio.block import Block
from edge.audio.supervisor import SupervisedSource
from edge.inference.model import Answer, EmotionModel
from edge.inference.voice import Voice
from edge.inference.windows import Frames
from edge.mqtt.client import Publisher
from edge.mqtt.messages import Health, Microphone, encode, now
from edge.throttling import throttled_bits
from edge.voice.enrolment import Enrolment

PERIOD_S = 60.0
SILENT_S = 2.0
"""Seconds without any block after which a source is reported as silent"""

_QUIETEST_DBFS = -120.0
_REMEMBERED = 256
"""Most recent timings, over which the percentiles are taken"""


class TimedModel(EmotionModel):
    """A model that remembers how long its answers to turns took."""

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        self.took_ms: deque[float] = deque(maxlen=_REMEMBERED)
        """Milliseconds for each turn; first guesses are no answers"""
        self.window_ms: deque[float] = deque(maxlen=_REMEMBERED)
        """The same for each window; one turn may need several, and every first guess needs one"""

    def logits(self, window: Frames) -> Frames:
        """Dequantised outputs (n_labels,) for one normalised window (n_frames, n_features)."""
        begun = time.perf_counter()
        logits = super().logits(window)
        self.window_ms.append(1000.0 * (time.perf_counter() - begun))
        return logits

    def answer(self, frames: Frames, voice: Voice | None = None) -> Answer:
        """The model's answer to a turn's frames (n, n_features), n >= 1."""
        begun = time.perf_counter()
        answer = super().answer(frames, voice)
        self.took_ms.append(1000.0 * (time.perf_counter() - begun))
        return answer


class LevelMeter:
    """Measures the level of the sound since the last reading."""

    def __init__(self) -> None:
        self._heard: tuple[float, int] = (0.0, 0)
        self._last_at = time.monotonic()

    def hear(self, block: Block) -> None:
        """Take a block of sound, float32 mono in [-1, 1]."""
        energy, samples = self._heard
        self._heard = (energy + float(np.dot(block, block)), samples + len(block))
        self._last_at = time.monotonic()

    def read_dbfs(self) -> float | None:
        """Mean level in dB full scale since the last reading; None when there was no sound."""
        (energy, samples), self._heard = self._heard, (0.0, 0)
        if not samples:
            return None
        return max(_QUIETEST_DBFS, 10.0 * math.log10(max(energy / samples, 1e-30)))

    @property
    def silent_s(self) -> float:
        """Seconds since the source last gave a block, even one of silence; or since the start."""
        return time.monotonic() - self._last_at

    @property
    def is_silent(self) -> bool:
        """Whether the source has given no block recently, not even one of silence."""
        return self.silent_s > SILENT_S


class Recognition(Protocol):
    """What the report needs from the recognition: a part of `edge.listener.Listener`."""

    meter: LevelMeter
    """Measures the source's sound"""

    sensitivity_db: float
    """Decibels by which speech may be quieter than configured"""

    @property
    def model(self) -> TimedModel:
        """The model in use."""

    @property
    def microphone(self) -> Microphone:
        """Condition of the source."""

    @property
    def voice(self) -> Voice:
        """What has been learnt about the current voice."""

    @property
    def enrolment(self) -> Enrolment | None:
        """The enrolled voice; None if there is none."""


class HealthReporter:
    """Publishes the health of the device every minute, and on request.

    Args:
        publisher: publishes the message.
        source: the source whose condition and dropped samples are reported.
        recognition: the recognition of that source's sound.
    """

    def __init__(self, publisher: Publisher, source: SupervisedSource, recognition: Recognition) -> None:
        self._publisher = publisher
        self._source = source
        self._recognition = recognition
        # Called by the main thread every minute, and by the MQTT network thread for commands.
        self._lock = threading.Lock()
        self._begun = time.monotonic()
        self._cpu = (self._begun, time.process_time())
        self._due = self._begun
        self._said: Microphone | None = None

    def tick(self) -> None:
        """Publish if a minute has passed or the condition of the microphone has changed."""
        if time.monotonic() >= self._due or self._recognition.microphone is not self._said:
            self._due = time.monotonic() + PERIOD_S
            self.publish()

    def publish(self) -> Health:
        """Measure and publish."""
        with self._lock:
            health = self.measure()
            self._publisher.publish_health(encode(health))
        return health

    def measure(self) -> Health:
        """Measure the present health; level and CPU cover the time since the last measurement."""
        recognition = self._recognition
        took = sorted(recognition.model.took_ms)
        level = recognition.meter.read_dbfs()
        self._said = microphone = recognition.microphone
        if microphone is Microphone.OK and level == _QUIETEST_DBFS:
            microphone = Microphone.ZEROS
        temperature_c, throttled = read_board()
        voice, enrolment = recognition.voice, recognition.enrolment
        return Health(
            at=now(),
            uptime_s=time.monotonic() - self._begun,
            inference_p50_ms=_percentile(took, 0.5),
            inference_p95_ms=_percentile(took, 0.95),
            cpu_percent=self._cpu_percent(),
            rss_bytes=_rss_bytes(),
            level_dbfs=level,
            dropped_samples=self._source.dropped_samples,
            queued_turns=self._publisher.queued,
            dropped_turns=self._publisher.dropped,
            temperature_c=temperature_c,
            throttled=throttled,
            muted=self._source.muted,
            sensitivity_db=recognition.sensitivity_db,
            voice_turns=voice.turns,
            voice_strength=round(voice.strength, 3),
            voice_enrolled=None if enrolment is None else enrolment.at,
            microphone=microphone,
            microphone_trouble=None if self._source.muted else self._source.why or None,
            reopened=self._source.reopened,
        )

    def _cpu_percent(self) -> float:
        then, used = self._cpu
        self._cpu = (time.monotonic(), time.process_time())
        return 100.0 * (self._cpu[1] - used) / max(1e-3, self._cpu[0] - then)


def read_board(root: Path = Path("/sys")) -> tuple[float | None, bool | None]:
    """The processor's temperature in degrees Celsius, and whether it is throttled now; None if unknown."""
    temperature, throttled = _temperature(root / "class/thermal/thermal_zone0/temp"), throttled_bits(root)
    # The higher bits record the past.
    return (
        None if temperature is None else temperature / 1000.0,
        None if throttled is None else bool(throttled & 0xF),
    )


def _temperature(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _rss_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _percentile(ascending: list[float], share: float) -> float | None:
    """The smallest value that is not exceeded by at least this share of all values; None without any."""
    return ascending[max(0, math.ceil(share * len(ascending)) - 1)] if ascending else None
