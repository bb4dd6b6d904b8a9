"""Turns the recogniser's events into the MQTT messages `State` and `Turn`, and samples into UTC times."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from edge.inference.card import ModelCard
from edge.inference.model import Answer
from edge.inference.recognizer import (
    EmotionLapsed,
    Event,
    FirstImpression,
    SpeechDropped,
    SpeechStarted,
    TurnResult,
)
from edge.mqtt.messages import NONE, Doubt, Microphone, State, Turn, new_id, timestamp


class Announcer:
    """Follows the events of one stream and returns the messages to publish for them."""

    def __init__(
        self,
        card: ModelCard,
        sample_rate: int,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._card = card
        self._rate = sample_rate
        self._clock = clock
        self._last: Answer | None = None
        self.microphone = Microphone.OK
        """Condition of the microphone, included in every state"""

    @property
    def has_emotion(self) -> bool:
        """Whether the state still carries the emotion of the last turn."""
        return self._last is not None

    def silent(self) -> State:
        """The state without an emotion: before the first turn, and once the last emotion has lapsed."""
        self._last = None
        return self._state(False, timestamp(self._clock()))

    def follow(self, event: Event, heard: int) -> list[State | Turn]:
        """The messages for one event.

        Args:
            event: from the recogniser.
            heard: samples that the recogniser has processed so far.
        """
        if isinstance(event, SpeechStarted):
            return [self._state(speaking=True, since=self._moment(event.start, heard))]
        if isinstance(event, FirstImpression):
            return [self._state(True, self._moment(event.start, heard), event.answer)]
        if isinstance(event, TurnResult):
            self._last = event.answer
            return [self._turn(event, heard), self._state(False, self._moment(event.end, heard))]
        if isinstance(event, SpeechDropped):
            return [self._state(False, self._moment(event.end, heard))]
        if isinstance(event, EmotionLapsed):
            self._last = None
        return [self._state(False, self._moment(event.at, heard))]

    def _moment(self, sample: int, heard: int) -> str:
        """The time of a sample: now minus the sound since then, so that the two clocks cannot drift apart."""
        return timestamp(self._clock() - timedelta(seconds=(heard - sample) / self._rate))

    def _state(self, speaking: bool, since: str, guess: Answer | None = None) -> State:
        answer = guess or self._last
        if answer is None:
            return State(speaking=speaking, emotion=NONE, since=since, microphone=self.microphone)
        return State(
            speaking=speaking,
            emotion=answer.emotion,
            confidence=answer.confidence,
            arousal=answer.arousal,
            valence=answer.valence,
            since=since,
            provisional=guess is not None,
            microphone=self.microphone,
        )

    def _turn(self, result: TurnResult, heard: int) -> Turn:
        answer = result.answer
        return Turn(
            id=new_id(),
            started=self._moment(result.start, heard),
            ended=self._moment(result.end, heard),
            duration=(result.end - result.start) / self._rate,
            emotion=answer.emotion,
            confidence=answer.confidence,
            probabilities=answer.probabilities,
            arousal=answer.arousal,
            valence=answer.valence,
            doubts=tuple(Doubt(doubt.value) for doubt in result.doubts),
            snr_db=result.snr_db,
            model=self._card.name,
            model_sha256=self._card.flatbuffer_sha256,
        )
