"""Collects neutral speech until there is enough of it for an enrolment.

Pure: no clock, no thread. Time is counted in samples.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.frontend.mfcc_samples import check_samples
from edge.frontend.speech_gate import Hop, SpeechGate
from edge.frontend.vad import GateSettings
from edge.inference.doubts import Doubt, doubts, snr_db
from edge.inference.model import EmotionModel
from edge.inference.turn_frames import TurnFrames
from edge.inference.turns import TurnBegan, TurnClosed, TurnDetector, TurnSettings
from edge.voice.enrolment import Enrolment, MeanAnswer, frontend_of
from edge.voice.errors import EnrolmentError

_PATIENCE = 6.0
"""Limit of the sound heard, pauses and poor speech included, as a multiple of the speech wanted"""

# About as long as the clips that models are trained on: `ReferencePrior` describes how those differ.
_TURNS = TurnSettings(max_turn_s=3.0)


class NeutralSpeech:
    """Takes sound, and keeps the mean frame and the model's answer of each stretch of good speech.

    Args:
        model: the model in use.
        gate: decides what counts as speech.
        wanted_s: seconds of speech that are enough, more than 0.
    """

    def __init__(self, model: EmotionModel, gate: GateSettings | None = None, wanted_s: float = 10.0) -> None:
        self.wanted_s = wanted_s
        self.limit_s = _PATIENCE * wanted_s
        """Seconds of sound within which the speech must be heard"""
        self._model = model
        self._config = config = model.mfcc_config
        self._hop_s = config.hop_length / config.sample_rate
        self._gate_settings = gate or GateSettings()
        self._frames = TurnFrames(config)
        self._gate = SpeechGate(self._gate_settings, config)
        self._turns = TurnDetector(_TURNS, self._hop_s)
        self._means: list[NDArray[np.float64]] = []
        self._answers: list[NDArray[np.float64]] = []
        self._good_hops = 0
        self._poor = dict.fromkeys(Doubt, 0)
        self._samples = 0
        self._begin()

    def _begin(self) -> None:
        """Start a new stream of sound; speech collected before stays."""
        for part in (self._frames, self._gate, self._turns):
            part.reset()
        self._hops = 0
        self._speech: list[Hop] = []
        self._is_open = False
        self._floor_db = 0.0

    @property
    def speech_s(self) -> float:
        """Seconds of good speech so far; the current stretch may still turn out to be poor."""
        return (self._good_hops + len(self._speech)) * self._hop_s

    @property
    def heard_s(self) -> float:
        """Seconds of sound so far."""
        return self._samples / self._config.sample_rate

    @property
    def is_enough(self) -> bool:
        """Whether there is enough speech for `result`."""
        return self._good_hops * self._hop_s >= self.wanted_s

    @property
    def is_hopeless(self) -> bool:
        """Whether so much sound was heard that enough speech can no longer be expected."""
        return not self.is_enough and self.heard_s >= self.limit_s

    def push(self, block: NDArray[np.floating[Any]]) -> None:
        """Take the next samples (n,), [-1, 1], at the front end's rate."""
        check_samples(block)
        self._samples += len(block)
        ready = self._frames.ready
        self._frames.push(block)
        for hop in self._gate.push(block, self._frames.ready - ready):
            self._hops += 1
            self._follow(self._turns.push(hop.is_speech), hop)
            if self._completes:
                self._close(self._turns.flush())
        self._frames.forget_before(self._hops - self._turns.lookback)

    def end_recording(self) -> None:
        """End the recording; another may follow, made elsewhere."""
        self._close(self._turns.flush())
        self._begin()

    def result(self, at: str) -> Enrolment:
        """The enrolment.

        Args:
            at: the current time: UTC, ISO 8601.

        Raises:
            EnrolmentError: when there is too little good speech; says why and what to do.
        """
        if not self.is_enough:
            raise EnrolmentError(self._complaint())
        return Enrolment(
            at=at,
            turns=len(self._means),
            speech_s=round(self._good_hops * self._hop_s, 2),
            frontend=frontend_of(self._config),
            mean=_listed(np.mean(self._means, axis=0)),
            answered=MeanAnswer(
                model_sha256=self._model.card.flatbuffer_sha256,
                answer=_listed(np.mean(self._answers, axis=0)),
            ),
        )

    @property
    def _completes(self) -> bool:
        """Whether the current stretch, if ended now, would be long enough and complete the wanted speech."""
        present_s = len(self._speech) * self._hop_s
        return not self.is_enough and self.speech_s >= self.wanted_s and present_s >= _TURNS.sure_speech_s

    def _follow(self, event: TurnBegan | TurnClosed | None, hop: Hop) -> None:
        if isinstance(event, TurnBegan):
            self._is_open, self._floor_db = True, hop.floor_db
            self._frames.begin(event.start)
        if self._is_open and hop.is_speech:
            self._speech.append(hop)
        if isinstance(event, TurnClosed):
            self._close(event)

    def _close(self, turn: TurnClosed | None) -> None:
        if turn is None:
            return
        speech, self._speech, self._is_open = self._speech, [], False
        ratio_db = snr_db(speech, self._floor_db)
        found = doubts(speech, ratio_db, turn.speech * self._hop_s, _TURNS, self._config.hop_length)
        for doubt in found:
            self._poor[doubt] += turn.speech
        is_good = turn.enough and not found
        frames = self._frames.end(turn.speech_end if is_good else turn.start)
        if is_good:
            self._good_hops += turn.speech
            self._means.append(frames.mean(axis=0, dtype=np.float64))
            self._answers.append(self._model.answer_by_itself(frames))

    def _complaint(self) -> str:
        noisy, clipped = (self._poor[doubt] * self._hop_s for doubt in (Doubt.SNR, Doubt.CLIPPING))
        had = f"{self.speech_s:.1f} s of good speech in {self.heard_s:.0f} s"
        said = f"{had}, but {self.wanted_s:g} s are needed"
        if clipped > max(noisy, 1.0):
            return (
                f"{said}: {clipped:.1f} s are clipped; turn capture down in `alsamixer` (F4), or speak from "
                "further away"
            )
        if noisy > 1.0:
            return (
                f"{said}: {noisy:.1f} s are hardly louder than the noise; come closer to the microphone, or "
                "make the room quieter"
            )
        return f"{said}: keep speaking without long pauses, or give more recordings"


def _listed(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(round(float(value), 4) for value in values)
