"""The recognition thread: takes blocks from the source and publishes what they bring about."""

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
"""Why the daemon is to end; the first counts"""

_Settings = tuple[TimedModel, GateSettings, TurnSettings, VoiceSettings]


class Overhearing(Protocol):
    """Whoever hears the same sound as the recognition, in its thread."""

    def hear(self, block: Block) -> None:
        """Take the block that was recognised last."""

    def break_off(self, why: str) -> None:
        """The sound has broken off."""


class Listener(threading.Thread):
    """Recognises the turns of a source. What other threads change of it holds from the next block on."""

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
        """Whether no more sound will be listened to"""
        self._busy_since: float | None = None
        self._waiting_since = time.monotonic()

    def busy_s(self) -> float:
        """Seconds that the present block of sound has been worked on; 0 while the next one is waited for."""
        since = self._busy_since
        return 0.0 if since is None else time.monotonic() - since

    @property
    def voice(self) -> Voice:
        """What is known of the voice that is speaking."""
        return self._recognizer.voice

    @property
    def enrolment(self) -> Enrolment | None:
        """The voice that was enrolled; None also where this model cannot use it."""
        enrolment = self._enrolment
        if enrolment is None or enrolment.misfit(self.model.mfcc_config):
            return None
        return enrolment

    def use_enrolment(self, enrolment: Enrolment | None) -> None:
        """Know this voice, or none; what was heard of the present one is forgotten."""
        self._enrolment = enrolment
        self._is_enrolment_new = True

    @property
    def model(self) -> TimedModel:
        """The model in use, or the one that takes its place with the next block."""
        coming = self._next
        return self._model if coming is None else coming[0]

    @property
    def microphone(self) -> Microphone:
        """What comes from the source; a file or pipe that gives nothing of late is silent."""
        if self._source.condition is Condition.OK and self.meter.is_silent:
            return Microphone.SILENT
        return Microphone(self._source.condition.value)

    def look(self) -> None:
        """Let the emotion lapse when no sound came for so long: the recognition's time stands still then."""
        if self._announcer.has_emotion and self.meter.silent_s > self._turns.none_after_s:
            self._announcer.microphone = self.microphone
            self._publisher.publish_state(self._announcer.silent())

    def replace(
        self, model: TimedModel, gate: GateSettings, turns: TurnSettings, voice: VoiceSettings
    ) -> None:
        """Go on with these; a turn that is being spoken is forgotten."""
        with self._taking_over:
            self._next_margin = None
            self.sensitivity_db = 0.0
            self._next = (model, gate, turns, voice)

    def set_margin(self, margin_db: float) -> None:
        """Take what is so many decibels above the noise floor for speech."""
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
        except Exception:  # noqa: BLE001
            # Never alive but deaf: whatever went wrong here ends the process.
            _LOG.critical("recognition has failed", exc_info=True)
            self.exit_code = _EX_SOFTWARE
        finally:
            # In this order: who begins to overhear now is told here, or sees that it is over.
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
        """Nothing came for so long, as where the writer of a pipe pauses: the turn before is over."""
        if pause_s < SILENT_S:
            return
        self._hear(self._recognizer.flush(), pause_s)
        if pause_s > self._forget_voice_s:
            self._recognizer.forget_voice()
        if pause_s > self._turns.none_after_s:
            self._be_silent()

    def _overhear(self, block: Block) -> None:
        # Other threads take it away at any moment.
        overhearing = self.overhearing
        if overhearing is not None:
            overhearing.hear(block)

    def _stop_overhearing(self, why: str) -> None:
        overhearing = self.overhearing
        if overhearing is not None:
            overhearing.break_off(why)

    def _change(self, condition: Condition, why: str) -> None:
        """The sound has broken off, or begins anew: nothing behind it belongs to the turn before it."""
        if condition is not Condition.MUTED:
            self._hear(self._recognizer.flush(), self._waited_s())
        self._recognizer.reset()
        if condition is not Condition.OK:
            self._stop_overhearing(why)
        self._be_silent()
        self._waiting_since = time.monotonic()

    def _adopt(self) -> None:
        """Take over what other threads have changed."""
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
        # Else the last turn, which may be part of the enrolment, would count once more.
        self._recognizer.forget_voice()
        if enrolment is None or misfit is not None:
            self.voice.enrol([], [])
        else:
            _LOG.info("the voice enrolled at %s is known", enrolment.at)
            enrolment.teach(self.voice, self._model.card)

    def _be_silent(self) -> None:
        self._announcer.microphone = Microphone(self._source.condition.value)
        self._publisher.publish_state(self._announcer.silent())

    def _hear(self, events: list[Event], pause_s: float = 0.0) -> None:
        """Tell of these; since the sound that they are about, nothing came for so long."""
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
