"""Sound in, turns with their emotions out: the front end, the gate, the turns and the model in one line.

Pure: no clock, no thread. Time is counted in samples, and the result does not depend on how the sound is
cut into blocks.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.frontend.mfcc import StreamingMfcc
from edge.frontend.vad import EnergyGate, GateSettings, HopLevels
from edge.inference.model import Answer, EmotionModel
from edge.inference.turns import TurnBegan, TurnClosed, TurnDetector, TurnSettings


class SpeechStarted(msgspec.Struct, frozen=True, kw_only=True):
    """A turn has begun."""

    start: int
    """Sample"""


class SpeechDropped(msgspec.Struct, frozen=True, kw_only=True):
    """What had begun was too short for a turn."""

    start: int
    end: int
    """Samples"""


class TurnResult(msgspec.Struct, frozen=True, kw_only=True):
    """One finished turn."""

    start: int
    """First sample"""

    end: int
    """First sample behind it, hangover included"""

    answer: Answer

    snr_db: float
    """Mean power of the turn's speech over the noise floor when it began"""


class EmotionLapsed(msgspec.Struct, frozen=True, kw_only=True):
    """The last turn is so long ago that its emotion is no longer the present one."""

    at: int
    """Sample"""


Event = SpeechStarted | SpeechDropped | TurnResult | EmotionLapsed


class Recognizer:
    """Recognises the turns of one stream of sound."""

    def __init__(
        self,
        model: EmotionModel,
        turns: TurnSettings | None = None,
        gate: GateSettings | None = None,
    ) -> None:
        config = model.mfcc_config
        self._model = model
        self._hop = config.hop_length
        hop_s = config.hop_length / config.sample_rate
        turns = turns or TurnSettings()
        self._mfcc = StreamingMfcc(config)
        self._levels = HopLevels(config.hop_length)
        self._gate = EnergyGate(gate or GateSettings(), hop_s)
        self._turns = TurnDetector(turns, hop_s)
        # A frame is complete this many hops after the hop in which it begins.
        self._frame_lag = -(-config.frame_length // config.hop_length) - 1 + config.lookahead
        self._lapse_hops = max(1, round(turns.none_after_s / hop_s))
        self.reset()

    def reset(self) -> None:
        """Forget the sound so far; the next sample is sample 0."""
        for part in (self._mfcc, self._levels, self._gate, self._turns):
            part.reset()
        self._hops = 0
        self._samples = 0
        self._frames = np.empty((0, self._model.mfcc_config.n_features), np.float32)
        self._frames_from = 0
        self._powers: list[float] = []
        self._floor_db = 0.0
        self._in_turn = False
        self._lapse_at: int | None = None

    @property
    def samples(self) -> int:
        """Samples heard so far."""
        return self._samples

    @property
    def floor_db(self) -> float:
        """The present noise floor in dB full scale."""
        return self._gate.floor_db

    def set_margin(self, margin_db: float) -> None:
        """Take what is so many decibels above the noise floor for speech, from the next hop on.

        Raises:
            ValueError: when the margin makes no sense, see `GateSettings`.
        """
        self._gate.set_margin(margin_db)

    def push(self, block: NDArray[np.floating[Any]]) -> list[Event]:
        """Take the next samples (n,), [-1, 1], and tell what they bring about.

        Raises:
            SignalError: when the samples are not sound.
        """
        self._frames = np.concatenate([self._frames, self._mfcc.push(block)])
        self._samples += len(block)
        events: list[Event] = []
        for level_db in self._levels.push(block).tolist():
            is_speech = self._gate.step(level_db)
            event = self._turns.push(is_speech)
            self._hops += 1
            if self._in_turn and is_speech:
                self._powers.append(10.0 ** (level_db / 10.0))
            events += self._follow(event)
        if not self._in_turn:
            self._forget_before(self._hops - self._turns.lookback - self._frame_lag)
        return events

    def flush(self) -> list[Event]:
        """The sound has ended: close the turn that is open."""
        closed = self._turns.flush()
        return [] if closed is None else self._follow(closed)

    def _follow(self, event: TurnBegan | TurnClosed | None) -> list[Event]:
        if isinstance(event, TurnBegan):
            self._in_turn, self._floor_db, self._powers = True, self._gate.floor_db, []
            return [SpeechStarted(start=event.start * self._hop)]
        if isinstance(event, TurnClosed):
            self._in_turn = False
            closed = self._close(event)
            # What was dropped says nothing of the emotion: neither that it lasts nor that it is over.
            if isinstance(closed, TurnResult):
                self._lapse_at = self._hops + self._lapse_hops
            return [closed]
        if not self._in_turn and self._lapse_at is not None and self._hops >= self._lapse_at:
            self._lapse_at = None
            return [EmotionLapsed(at=self._hops * self._hop)]
        return []

    def _close(self, turn: TurnClosed) -> Event:
        start, end = turn.start * self._hop, turn.end * self._hop
        # Frames that a longer block has brought already must not count: another cut would lack them.
        last = min(turn.speech_end, self._hops - self._frame_lag)
        frames = self._frames[turn.start - self._frames_from : last - self._frames_from]
        if not turn.enough or len(frames) == 0:
            return SpeechDropped(start=start, end=end)
        speech_db = 10.0 * np.log10(np.mean(self._powers)) if self._powers else self._floor_db
        return TurnResult(
            start=start,
            end=end,
            answer=self._model.answer(frames),
            snr_db=float(speech_db - self._floor_db),
        )

    def _forget_before(self, hop: int) -> None:
        drop = hop - self._frames_from
        if drop > 0:
            self._frames = self._frames[drop:].copy()
            self._frames_from = hop
