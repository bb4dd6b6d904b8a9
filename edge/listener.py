"""The recognition thread: takes blocks from the source and publishes the resulting states and turns."""

from __future__ import annotations

import logging
import queue
import threading
import time
from typing import Protocol

from edge.announcer import Announcer
from edge.audio.block import Block
from edge.audio.supervisor import Condition, SupervisedSource
from edge.config import Config
from edge.errors import AffectdError
from edge.frontend.vad import GateSettings
from edge.health import SILENT_S, LevelMeter, TimedModel
from edge.inference.recognizer import Event, Recognizer, TurnResult
from edge.inference.reference import VoiceSettings
from edge.inference.turns import TurnSettings
from edge.inference.voice import Voice
from edge.mqtt.client import Publisher
from edge.mqtt.messages import Microphone, State
from edge.voice.enrolment import Enrolment

_LOG = logging.getLogger("edge.daemon")

SOURCE_ENDED = "the source has ended"
_EX_SOFTWARE = 70

Endings = queue.SimpleQueue[str]
"""Reasons for the daemon to end; the first one counts"""

_Settings = tuple[TimedModel, GateSettings, TurnSettings, VoiceSettings]


class Overhearing(Protocol):
    """A second consumer of the recognition's sound, called in the recognition thread."""

    def hear(self, block: Block) -> None:
        """Take the block that the recognition has just processed."""

    def break_off(self, why: str) -> None:
        """Called when the sound is interrupted, with the reason."""


class Listener(threading.Thread):
    """Recognises the turns of a source. Changes that other threads make take effect with the next block."""

    def __init__(
        self,
        config: Config,
        model: TimedModel,
        source: SupervisedSource,
        publisher: Publisher,
        endings: Endings,
    ) -> None:
        super().__init__(name="recognition", daemon=True)
        self._source = source
        self._publisher = publisher
        self._endings = endings
        self._next: _Settings | None = None
        self._taking_over = threading.Lock()
        self._next_margin: float | None = None
        self._enrolment: Enrolment | None = None
        self._is_enrolment_new = False
        self.overhearing: Overhearing | None = None
        self._use(model, config.gate, config.turns, config.voice)
        self.meter = LevelMeter()
        source.on_change = self._change
        self.sensitivity_db = 0.0
        """Decibels by which speech may be quieter than configured, as it was last set"""
        self.exit_code = 0
        self.has_ended = False
        """Whether the thread has stopped listening for good"""
        self._busy_since: float | None = None
        self._waiting_since = time.monotonic()

    def busy_s(self) -> float:
        """Seconds for which the current block has been processed; 0 while waiting for the next one."""
        since = self._busy_since
        return 0.0 if since is None else time.monotonic() - since

    @property
    def voice(self) -> Voice:
        """What has been learnt about the current voice."""
        return self._recognizer.voice

    @property
    def enrolment(self) -> Enrolment | None:
        """The enrolled voice; None if there is none, or if this model cannot use it."""
        enrolment = self._enrolment
        if enrolment is None or enrolment.misfit(self.model.mfcc_config):
            return None
        return enrolment

    def use_enrolment(self, enrolment: Enrolment | None) -> None:
        """Use this enrolled voice, or none; what was learnt about the current voice is forgotten."""
        self._enrolment = enrolment
        self._is_enrolment_new = True

    @property
    def model(self) -> TimedModel:
        """The model in use, or the one that replaces it with the next block."""
        coming = self._next
        return self._model if coming is None else coming[0]

    @property
    def microphone(self) -> Microphone:
        """Condition of the source; silent if it has given nothing yet, or, as a pipe, nothing recently."""
        if self._source.condition is Condition.OK and self.meter.is_silent:
            return Microphone.SILENT
        return self._condition

    @property
    def is_settled(self) -> bool:
        """Whether the condition of the source is known: false for a moment after the start."""
        return self._source.condition is not None or self.meter.is_silent

    @property
    def _condition(self) -> Microphone:
        return Microphone((self._source.condition or Condition.SILENT).value)

    def look(self) -> None:
        """Let the emotion lapse if no sound has come for long: the recogniser counts time only by sound."""
        if self._announcer.has_emotion and self.meter.silent_s > self._turns.none_after_s:
            self._announcer.microphone = self.microphone
            self._publisher.publish_state(self._announcer.silent())

    def replace(
        self, model: TimedModel, gate: GateSettings, turns: TurnSettings, voice: VoiceSettings
    ) -> None:
        """Switch to these with the next block; a turn in progress is discarded."""
        with self._taking_over:
            self._next_margin = None
            self.sensitivity_db = 0.0
            self._next = (model, gate, turns, voice)

    def set_margin(self, margin_db: float) -> None:
        """Set how many decibels above the noise floor count as speech."""
        with self._taking_over:
            self._next_margin = margin_db

    def _use(self, model: TimedModel, gate: GateSettings, turns: TurnSettings, voice: VoiceSettings) -> None:
        self._model = model
        self._recognizer = Recognizer(model, turns, gate, voice)
        self._is_enrolment_new = True
        self._turns = turns
        self._forget_voice_s = voice.forget_after_s
        self._announcer = Announcer(model.card, model.mfcc_config.sample_rate)

    def run(self) -> None:
        """Listen until the source ends or fails."""
        try:
            self._listen()
        except AffectdError as error:
            _LOG.critical("%s", error)
            self.exit_code = error.exit_code
            self._be_silent()
        except Exception:  # noqa: BLE001
            # The process must not stay alive without listening: any failure here ends it.
            _LOG.critical("recognition has failed", exc_info=True)
            self.exit_code = _EX_SOFTWARE
        finally:
            # In this order: a consumer that registers now is notified here, or sees `has_ended`.
            self.has_ended = True
            self._stop_overhearing(SOURCE_ENDED)
            self._endings.put(SOURCE_ENDED)

    def _listen(self) -> None:
        self._be_silent()
        for block in self._source.blocks():
            self._busy_since = time.monotonic()
            self._bridge(self._waited_s())
            self.meter.hear(block)
            self._adopt()
            self._hear(self._recognizer.push(block))
            self._source.unhurried = not self._recognizer.in_turn
            self._overhear(block)
            self._busy_since = None
            self._waiting_since = time.monotonic()
        self._hear(self._recognizer.flush(), self._waited_s())

    def _waited_s(self) -> float:
        return time.monotonic() - self._waiting_since

    def _bridge(self, pause_s: float) -> None:
        """End the turn before a long gap between blocks, as when the writer of a pipe pauses."""
        if pause_s < SILENT_S:
            return
        self._hear(self._recognizer.flush(), pause_s)
        if pause_s > self._forget_voice_s:
            self._recognizer.forget_voice()
        if pause_s > self._turns.none_after_s:
            self._be_silent()

    def _overhear(self, block: Block) -> None:
        # Other threads may remove it at any moment.
        overhearing = self.overhearing
        if overhearing is not None:
            overhearing.hear(block)

    def _stop_overhearing(self, why: str) -> None:
        overhearing = self.overhearing
        if overhearing is not None:
            overhearing.break_off(why)

    def _change(self, condition: Condition, why: str) -> None:
        """End the turn when the sound is interrupted or resumes: what follows does not belong to it."""
        if condition is not Condition.MUTED:
            self._hear(self._recognizer.flush(), self._waited_s())
        self._recognizer.reset()
        if condition is not Condition.OK:
            self._stop_overhearing(why)
        self._be_silent()
        self._waiting_since = time.monotonic()

    def _adopt(self) -> None:
        """Apply what other threads have changed."""
        with self._taking_over:
            coming, margin_db = self._next, self._next_margin
            if coming is not None:
                self._use(*coming)
            self._next = self._next_margin = None
        if coming is not None:
            self._be_silent()
        if margin_db is not None:
            self._recognizer.set_margin(margin_db)
        if self._is_enrolment_new:
            self._is_enrolment_new = False
            self._know(self._enrolment)

    def _know(self, enrolment: Enrolment | None) -> None:
        misfit = None if enrolment is None else enrolment.misfit(self._model.mfcc_config)
        if misfit is not None:
            _LOG.warning("the enrolled voice is not used: %s", misfit)
        # Otherwise the last turn, which may be part of the enrolment, would count twice.
        self._recognizer.forget_voice()
        if enrolment is None or misfit is not None:
            self.voice.enrol([], [])
        else:
            _LOG.info("using the voice enrolled at %s", enrolment.at)
            enrolment.teach(self.voice, self._model.card)

    def _be_silent(self) -> None:
        self._announcer.microphone = self._condition
        self._publisher.publish_state(self._announcer.silent())

    def _hear(self, events: list[Event], pause_s: float = 0.0) -> None:
        """Publish these events; no sound has come for `pause_s` seconds since the last block."""
        pause = round(pause_s * self._model.mfcc_config.sample_rate)
        for event in events:
            self._announce(event, self._recognizer.samples + pause)

    def _announce(self, event: Event, heard: int) -> None:
        if isinstance(event, TurnResult):
            answer = event.answer
            _LOG.info(
                "turn: %s, confidence %.2f, SNR %.0f dB%s",
                answer.emotion,
                answer.confidence,
                event.snr_db,
                f" (doubts: {', '.join(event.doubts)})" if event.doubts else "",
            )
        for message in self._announcer.follow(event, heard):
            if isinstance(message, State):
                self._publisher.publish_state(message)
            else:
                self._publisher.publish_turn(message)
