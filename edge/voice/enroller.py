"""Enrols a voice while the daemon listens: what the commands `enrol` and `forget` do."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from edge.audio.block import Block
from edge.errors import AffectdError
from edge.frontend.vad import GateSettings
from edge.listener import SOURCE_ENDED, Listener
from edge.mqtt.messages import now
from edge.voice.enrolment import Enrolment
from edge.voice.errors import EnrolmentError
from edge.voice.file import VoiceFile
from edge.voice.speech import NeutralSpeech

_LOG = logging.getLogger(__name__)

_SPARE_S = 10.0
"""Seconds that a source may lag behind the clock before it counts as silent"""


class Enroller:
    """Runs at most one enrolment at a time, on the sound that the recognition hears anyway.

    Args:
        file: where the enrolment is kept.
        listener: the recognition, which continues meanwhile.
    """

    def __init__(self, file: VoiceFile, listener: Listener) -> None:
        self._file = file
        self._listener = listener
        self._present: _Enrolling | None = None
        self.restore()

    def restore(self) -> None:
        """Apply the enrolment in the file."""
        kept = self._file.read()
        if kept != self._listener.enrolment:
            self._listener.use_enrolment(kept)

    def start(self, wanted_s: float, gate: GateSettings) -> Future[dict[str, Any]]:
        """Start; the answer comes when `wanted_s` seconds of good speech were heard, or cannot be any more.

        Raises:
            EnrolmentError: when one is already in progress.
        """
        if self._present is not None:
            raise EnrolmentError("another enrolment is in progress; wait for its answer")
        speech = NeutralSpeech(self._listener.model, gate, wanted_s)
        present = self._present = _Enrolling(speech, self._keep)
        present.answer.add_done_callback(self._let_go)
        _LOG.warning("enrolling: the mean spectrum of the next %g s of speech will be kept", wanted_s)
        # From here on, the recognition thread may end it, and so reset `_present`, at any moment.
        self._listener.overhearing = present
        if self._listener.has_ended:
            present.break_off(SOURCE_ENDED)
        return present.answer

    def look(self) -> None:
        """Give up an enrolment that no longer gets any sound; call this now and then."""
        present = self._present
        if present is not None:
            present.expire()

    def forget(self) -> bool:
        """Forget the voice, in memory and on disk, and end an enrolment; returns whether one was on disk.

        Raises:
            EnrolmentFileError: when the file cannot be removed; the voice stays enrolled then.
        """
        present = self._present
        if present is not None:
            present.break_off("a command asked to forget the voice")
        was_there = self._file.forget()
        self._listener.use_enrolment(None)
        return was_there

    def _let_go(self, answer: Future[dict[str, Any]]) -> None:
        present = self._present
        if present is not None and present.answer is answer:
            self._present = self._listener.overhearing = None

    def _keep(self, enrolment: Enrolment) -> dict[str, Any]:
        misfit = enrolment.misfit(self._listener.model.mfcc_config)
        if misfit is not None:
            raise EnrolmentError(misfit)
        self._file.write(enrolment)
        self._listener.use_enrolment(enrolment)
        _LOG.warning("voice enrolled: %s", self._file.path)
        return {"speech_s": enrolment.speech_s, "turns": enrolment.turns, "at": enrolment.at}


class _Enrolling:
    """One enrolment in progress. Hears in the recognition thread; answered once, from any thread.

    Args:
        speech: takes the sound.
        keep: takes the enrolment, and returns the answer.
    """

    def __init__(self, speech: NeutralSpeech, keep: Callable[[Enrolment], dict[str, Any]]) -> None:
        self.answer: Future[dict[str, Any]] = Future()
        self._speech = speech
        self._keep = keep
        self._lock = threading.Lock()
        self._is_over = False
        self._deadline = time.monotonic() + speech.limit_s + _SPARE_S

    def hear(self, block: Block) -> None:
        """Take sound that the recognition has heard."""
        if self._is_over:
            return
        self._speech.push(block)
        if self._speech.is_enough or self._speech.is_hopeless:
            self._end(lambda: self._keep(self._speech.result(now())))

    def break_off(self, why: str) -> None:
        """End the enrolment without a result."""
        self._end(lambda: self._fail(f"ended after {self._speech.speech_s:.1f} s of speech: {why}"))

    def expire(self) -> None:
        """Break off if the sound is so late that it will not come any more."""
        if time.monotonic() > self._deadline:
            self.break_off("no sound arrives; check the microphone with `affectd doctor`")

    @staticmethod
    def _fail(why: str) -> dict[str, Any]:
        raise EnrolmentError(why)

    def _end(self, outcome: Callable[[], dict[str, Any]]) -> None:
        # A second caller waits until the first is done with the file, and then changes nothing.
        with self._lock:
            if self._is_over:
                return
            self._is_over = True
            failure: AffectdError | None = None
            try:
                result = outcome()
            except AffectdError as error:
                failure = error
        # Outside the lock, because this calls the callbacks of the answer.
        if failure is None:
            self.answer.set_result(result)
        else:
            self.answer.set_exception(failure)
