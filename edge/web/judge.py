"""Analyses one recording in memory, as the daemon would do live. No clock, no thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
import numpy as np

from edge.audio.block import SAMPLE_RATE, Block
from edge.audio.files import Content, SoundFile
from edge.audio.resample import Resampler
from edge.config import Config
from edge.inference.model import EmotionModel
from edge.inference.recognizer import Event, Recognizer, TurnResult
from edge.web.errors import RequestError, StoppedError
from edge.web.picture import Picture, draw

_NAME = "the recording"
"""In messages, in place of the file name, which is private"""

_PIECE_VALUES = 1 << 18
"""Values decoded at a time, all channels counted"""

_DIGITS = 4


class JudgedTurn(msgspec.Struct, frozen=True, kw_only=True):
    """One turn of a recording."""

    start: float
    """Seconds from the beginning of the recording"""

    end: float
    """Seconds from the beginning of the recording, including the pause that ended the turn"""

    emotion: str
    """The most probable label, or `uncertain`"""

    doubts: tuple[str, ...]
    """Why the emotion is `uncertain`: confidence, snr, clipping, speech; empty when it is not"""

    confidence: float
    """Calibrated probability of the most probable label, 0 to 1"""

    probabilities: dict[str, float]
    """Calibrated probability of every label of the model, 0 to 1"""

    arousal: float
    """Calm to excited, -1 to 1"""

    valence: float
    """Unpleasant to pleasant, -1 to 1"""

    snr_db: float
    """Level of the speech above that of the pauses, in decibels"""


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """The analysis of a recording."""

    seconds: float
    """Length of the recording"""

    model: str
    model_sha256: str
    """SHA-256 of the model's flatbuffer"""

    turns: tuple[JudgedTurn, ...]
    """Empty if nobody speaks"""

    picture: Picture | None = None
    """null if it was not requested, or the recording is shorter than a frame"""


class Judge:
    """Analyses recordings, one at a time.

    Args:
        model_in_force: gives the model to use; asked before each recording.
        config: whose gate, turns and voice apply.
    """

    def __init__(self, model_in_force: Callable[[], EmotionModel], config: Config) -> None:
        self._model_in_force = model_in_force
        self._config = config

    def judge(self, content: Content, with_picture: bool, stopped: Callable[[], bool]) -> Judgement:
        """Analyse a sound file.

        Args:
            content: the file's bytes.
            with_picture: whether to draw its spectrogram too.
            stopped: called now and then; returns whether to end at once.

        Raises:
            AudioError: when it is not a sound file, or damaged.
            RequestError: when it is longer than allowed.
            StoppedError: when `stopped` returns True.
        """

        def look() -> None:
            if stopped():
                raise StoppedError

        sound = decode(content, self._config.web.max_upload_s, look)
        model = self._model_in_force()
        card = model.card
        return Judgement(
            seconds=round(len(sound) / SAMPLE_RATE, 3),
            model=card.name,
            model_sha256=card.flatbuffer_sha256,
            turns=tuple(
                _judged(event) for event in self._events(model, sound, look) if isinstance(event, TurnResult)
            ),
            picture=draw(sound, model.mfcc_config, look) if with_picture else None,
        )

    def _events(self, model: EmotionModel, sound: Block, look: Callable[[], None]) -> Iterator[Event]:
        config = self._config
        recognizer = Recognizer(model, config.turns, config.gate, config.voice)
        for start in range(0, len(sound), SAMPLE_RATE):
            yield from recognizer.push(sound[start : start + SAMPLE_RATE])
            look()
        yield from recognizer.flush()


def decode(content: Content, most_s: float, look: Callable[[], None] = lambda: None) -> Block:
    """Decode a sound file in memory to one block of 16 kHz mono: equal to `edge.audio.files.read_file`.

    Raises:
        AudioError: when it is not a sound file, or damaged.
        RequestError: when it is longer than `most_s` seconds; no more than that is decoded.
    """
    with SoundFile(_NAME, content) as file:
        resampler = Resampler(file.rate, file.channels)
        n_at_once = max(1, _PIECE_VALUES // file.channels)
        pieces, n_read = [], 0
        while len(frames := file.read(n_at_once)):
            n_read += len(frames)
            if n_read > most_s * file.rate:
                raise RequestError(
                    413,
                    f"{_NAME} is longer than {most_s:g} s; cut it, or raise max_upload_s in [web] of the "
                    "configuration",
                )
            pieces.append(resampler.push(frames))
            look()
        pieces.append(resampler.flush())
    return np.concatenate(pieces)


def _judged(turn: TurnResult) -> JudgedTurn:
    answer = turn.answer
    return JudgedTurn(
        start=round(turn.start / SAMPLE_RATE, 3),
        end=round(turn.end / SAMPLE_RATE, 3),
        emotion=answer.emotion,
        doubts=tuple(doubt.value for doubt in turn.doubts),
        confidence=round(answer.confidence, _DIGITS),
        probabilities={label: round(share, _DIGITS) for label, share in answer.probabilities.items()},
        arousal=round(answer.arousal, _DIGITS),
        valence=round(answer.valence, _DIGITS),
        snr_db=round(turn.snr_db, 1),
    )
