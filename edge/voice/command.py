"""`affectd enrol`: hears a neutral voice from the configured source or recordings, and keeps its mean."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence

from edge.audio.files import read_file
from edge.audio.hang import unless_hung
from edge.audio.supervisor import Condition, SupervisedSource
from edge.config import Config
from edge.inference.model import EmotionModel
from edge.mqtt.messages import now
from edge.update.in_force import device_store, settings_in_force
from edge.voice.errors import EnrolmentSoundError
from edge.voice.file import VoiceFile, device_voice
from edge.voice.speech import NeutralSpeech

_WHAT_TO_DO = (
    "Speak in your everyday voice, without emotion, for about {:g} seconds: read something aloud, or count. "
    "Nobody else should speak."
)


def enrol(config: Config, recordings: Sequence[str], wanted_s: float) -> int:
    """Enrol a voice, from the recordings if there are any; returns the exit code.

    Raises:
        EnrolmentError: when there is too little good speech, or the enrolment cannot be kept.
        AudioError: when the source or a recording fails.
        ModelFileError: when the model cannot be used.
        RuntimeMissingError: when no runtime can run it.
    """
    model = EmotionModel(settings_in_force(config.model, device_store()))
    speech = NeutralSpeech(model, config.gate, wanted_s)
    progress = _Progress(speech)
    if recordings:
        for recording in recordings:
            speech.push(read_file(recording))
            speech.end_recording()
            progress.show()
    else:
        print(_WHAT_TO_DO.format(wanted_s), file=sys.stderr, flush=True)
        _listen(config, speech, progress)
    progress.end()
    enrolment = speech.result(now())
    file = device_voice(config.mqtt.topics.device)
    file.write(enrolment)
    print(f"enrolled: {enrolment.speech_s:.1f} s of speech in {enrolment.turns} stretches, {file.path}")
    print(_take_over(config))
    return 0


def forget(config: Config) -> int:
    """Remove the enrolled voice; returns the exit code.

    Raises:
        EnrolmentFileError: when it cannot be removed.
    """
    file: VoiceFile = device_voice(config.mqtt.topics.device)
    if not file.forget():
        print(f"no voice is enrolled: there is no {file.path}")
        return 0
    print(f"forgotten: {file.path} was removed")
    print(_take_over(config))
    return 0


def _take_over(config: Config) -> str:
    return (
        "A running daemon applies this at its next start, or at once with: "
        f"mosquitto_pub -t '{config.mqtt.topics.command}/reload' -m '{{}}'"
    )


def _listen(config: Config, speech: NeutralSpeech, progress: _Progress) -> None:
    """Hear the configured source as the daemon does, until there is enough speech or no hope of it.

    Raises:
        AudioError: when the source fails, or its driver hangs.
        EnrolmentSoundError: when the sound is interrupted.
    """

    def change(condition: Condition, why: str) -> None:
        if condition is not Condition.OK:
            raise EnrolmentSoundError(f"{why}; run `affectd doctor` for details")

    source = SupervisedSource(config.audio, change)
    unless_hung(lambda: _hear(source, speech, progress), lambda: source.opening_s, cancel=source.close)


def _hear(source: SupervisedSource, speech: NeutralSpeech, progress: _Progress) -> None:
    # Closes a generator that has not run to its end here, not at the next garbage collection.
    with contextlib.closing(source.blocks()) as blocks:  # type: ignore[type-var]
        for block in blocks:
            speech.push(block)
            progress.show()
            if speech.is_enough or speech.is_hopeless:
                return
    speech.end_recording()


class _Progress:
    """Reports how much speech was heard: on a terminal in one line, elsewhere one line per second."""

    def __init__(self, speech: NeutralSpeech) -> None:
        self._speech = speech
        self._said = 0

    def show(self) -> None:
        """Report progress: every tenth of a second of speech on a terminal, else every second."""
        terminal = sys.stderr.isatty()
        step = 10 if terminal else 1
        now_at = int(min(self._speech.speech_s, self._speech.wanted_s) * step)
        if now_at == self._said:
            return
        self._said = now_at
        text = f"speech: {now_at / step:.{1 if terminal else 0}f} of {self._speech.wanted_s:g} s"
        print(
            f"\r{text:<40}" if terminal else text, end="" if terminal else "\n", file=sys.stderr, flush=True
        )

    def end(self) -> None:
        """End the line."""
        if sys.stderr.isatty():
            print(file=sys.stderr)
