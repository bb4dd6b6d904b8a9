"""The recogniser: chains front end, gate, turn detector and model, from sound to turns with emotions.

It is pure: no clock, no threads. Time is counted in samples, and the results do not depend on how the sound
is cut into blocks.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.frontend.mfcc_samples import check_samples
from edge.frontend.speech_gate import Hop, SpeechGate
from edge.frontend.vad import GateSettings
from edge.inference.doubts import Doubt, doubts, snr_db
from edge.inference.first_guess import FirstGuess
from edge.inference.model import UNCERTAIN, Answer, EmotionModel
from edge.inference.reference import VoiceSettings
from edge.inference.turn_frames import TurnFrames
from edge.inference.turns import TurnBegan, TurnClosed, TurnDetector, TurnSettings


class SpeechStarted(msgspec.Struct, frozen=True, kw_only=True):
    """A turn has begun."""

    start: int
    """First sample of the turn"""


class FirstImpression(msgspec.Struct, frozen=True, kw_only=True):
    """A first guess at the turn that is still being spoken."""

    start: int
    """First sample of the turn"""

    at: int
    """Sample up to which the turn was heard"""

    answer: Answer


class SpeechDropped(msgspec.Struct, frozen=True, kw_only=True):
    """A turn that had begun was dropped, because it held too little speech."""

    start: int
    end: int
    """First sample, and first sample after it"""


class TurnResult(msgspec.Struct, frozen=True, kw_only=True):
    """One finished turn."""

    start: int
    """First sample"""

    end: int
    """First sample after the turn, hangover included"""

    answer: Answer

    doubts: tuple[Doubt, ...]
    """Reasons why the answer is `uncertain`; empty when it is not"""

    snr_db: float
    """Mean power of the turn's speech above the noise floor at the start of the turn"""


class EmotionLapsed(msgspec.Struct, frozen=True, kw_only=True):
    """The last turn is so long ago that its emotion no longer counts as the current one."""

    at: int
    """Sample at which that was noticed"""


Event = SpeechStarted | FirstImpression | SpeechDropped | TurnResult | EmotionLapsed


class Recognizer:
    """Recognises the turns of one stream of sound."""

    def __init__(
        self,
        model: EmotionModel,
        turns: TurnSettings | None = None,
        gate: GateSettings | None = None,
        voice: VoiceSettings | None = None,
    ) -> None:
        config = model.mfcc_config
        self._model = model
        self._hop = config.hop_length
        self._hop_s = config.hop_length / config.sample_rate
        self._settings = turns or TurnSettings()
        voice = voice or VoiceSettings()
        self._follow_voice = voice.follow
        self._forget_voice_hops = round(voice.forget_after_s / self._hop_s)
        self.voice = model.new_voice()
        """What is known about the current voice"""
        self._frames = TurnFrames(config)
        self._gate = SpeechGate(gate or GateSettings(), config)
        self._turns = TurnDetector(self._settings, self._hop_s)
        self._lapse_hops = max(1, round(self._settings.none_after_s / self._hop_s))
        self._guess_hops = max(1, round(self._settings.provisional_s / self._hop_s))
        self.reset()

    def reset(self) -> None:
        """Forget the sound so far; the next sample is sample 0."""
        for part in (self._frames, self._gate, self._turns):
            part.reset()
        self._hops = 0
        self._speech: list[Hop] = []
        self._floor_db = 0.0
        self._turn_start: int | None = None
        self._guess: FirstGuess | None = None
        self._lapse_at: int | None = None
        self._last_turn_hop = 0
        self.forget_voice()

    def forget_voice(self) -> None:
        """Forget what the turns so far have shown about the voice, but keep the enrolment."""
        self._unlearnt: NDArray[np.float32] | None = None
        self.voice.reset()

    @property
    def samples(self) -> int:
        """Samples heard so far."""
        return self._frames.samples

    @property
    def in_turn(self) -> bool:
        """Whether a turn is open."""
        return self._turn_start is not None

    @property
    def floor_db(self) -> float:
        """The current noise floor in dB full scale."""
        return self._gate.floor_db

    def set_margin(self, margin_db: float) -> None:
        """Set how far above the noise floor, in decibels, sound counts as speech, from the next hop on.

        Raises:
            ValueError: when the margin is out of range; see `GateSettings`.
        """
        self._gate.set_margin(margin_db)

    def push(self, block: NDArray[np.floating[Any]]) -> list[Event]:
        """Take the next samples (n,), [-1, 1], and return the events that they cause.

        Raises:
            SignalError: when the samples are not valid sound.
        """
        check_samples(block)
        self._learn()
        ready = self._frames.ready
        self._frames.push(block)
        events: list[Event] = []
        for hop in self._gate.push(block, self._frames.ready - ready):
            event = self._turns.push(hop.is_speech)
            self._hops += 1
            if self._turn_start is not None and hop.is_speech:
                self._speech.append(hop)
            events += self._follow(event, hop)
        self._frames.forget_before(self._hops - self._turns.lookback)
        return events

    def flush(self) -> list[Event]:
        """Close the open turn, because the sound has ended or paused."""
        closed = self._turns.flush()
        events = [] if closed is None else [self._close(closed)]
        self._learn()
        return events

    def _follow(self, event: TurnBegan | TurnClosed | None, hop: Hop) -> list[Event]:
        if isinstance(event, TurnBegan):
            self._learn()
            if event.start - self._last_turn_hop > self._forget_voice_hops:
                self.forget_voice()
            self._turn_start, self._floor_db, self._speech = event.start, hop.floor_db, []
            self._frames.begin(event.start)
            self._guess = FirstGuess(self._model, self.voice, self._settings.switch_margin)
            return [SpeechStarted(start=event.start * self._hop)]
        if isinstance(event, TurnClosed):
            return [self._close(event)]
        if self._turn_start is not None:
            return self._guessed(self._turn_start)
        if self._lapse_at is not None and self._hops >= self._lapse_at:
            self._lapse_at = None
            return [EmotionLapsed(at=self._hops * self._hop)]
        return []

    def _guessed(self, start: int) -> list[Event]:
        if self._guess is None or (self._hops - start) % self._guess_hops or not self._turns.enough:
            return []
        answer = self._guess.update(self._frames.until(self._hops))
        return [FirstImpression(start=start * self._hop, at=self._hops * self._hop, answer=answer)]

    def _learn(self) -> None:
        """Learn the voice from its last turn, after that turn's result is out: it takes as long again."""
        spoken, self._unlearnt = self._unlearnt, None
        if spoken is not None:
            self._model.teach(self.voice, spoken)

    def _close(self, turn: TurnClosed) -> Event:
        self._turn_start = self._guess = None
        frames = self._frames.end(turn.speech_end if turn.enough else turn.start)
        start, end = turn.start * self._hop, turn.end * self._hop
        if not turn.enough:
            # Dropped speech says nothing about the emotion: neither that it lasts nor that it is over.
            return SpeechDropped(start=start, end=end)
        self._lapse_at = self._hops + self._lapse_hops
        self._last_turn_hop = turn.end
        answer = self._model.answer(frames, self.voice)
        if self._follow_voice:
            self._unlearnt = frames
        ratio_db = snr_db(self._speech, self._floor_db)
        found = doubts(self._speech, ratio_db, turn.speech * self._hop_s, self._settings, self._hop)
        if answer.emotion == UNCERTAIN:
            found = (Doubt.CONFIDENCE, *found)
        elif found:
            answer = msgspec.structs.replace(answer, emotion=UNCERTAIN)
        return TurnResult(start=start, end=end, answer=answer, doubts=found, snr_db=ratio_db)
