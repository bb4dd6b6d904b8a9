"""`affectd classify`: the emotion of whole recordings."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import msgspec

from edge.audio.block import SAMPLE_RATE
from edge.audio.files import read_file
from edge.errors import AffectdError
from edge.inference.clip import speech_frames
from edge.inference.model import EmotionModel

_BAR = 20


class Classified(msgspec.Struct, frozen=True, kw_only=True):
    """One recording and its emotion: a line of `--json`."""

    file: str
    """Its path; � for each byte of it that is no UTF-8"""

    emotion: str
    confidence: float
    probabilities: dict[str, float]
    arousal: float
    valence: float
    seconds: float
    """Length of the recording"""


def classify_files(model: EmotionModel, paths: Sequence[str], as_json: bool) -> int:
    """Print a line for each file; a file that cannot be used is named on standard error.

    Returns:
        0, or the exit code of the first file that failed.
    """
    code = 0
    for path in paths:
        try:
            result = classify_file(model, path)
        except AffectdError as error:
            text = str(error)
            print(_printable(f"affectd: {text if path in text else f'{path}: {text}'}"), file=sys.stderr)
            code = code or error.exit_code
            continue
        if as_json:
            print(msgspec.json.encode(result).decode(), flush=True)
        else:
            print(_line(result), flush=True)
    return code


def classify_file(model: EmotionModel, path: str) -> Classified:
    """The emotion of one recording, as one turn.

    Raises:
        AudioError: when the file is no usable audio.
        TooShortError: when there is no speech to judge by.
    """
    signal = read_file(path)
    answer = model.answer(speech_frames(signal, model.mfcc_config))
    return Classified(
        file=_printable(path),
        emotion=answer.emotion,
        confidence=round(answer.confidence, 4),
        probabilities={label: round(share, 4) for label, share in answer.probabilities.items()},
        arousal=round(answer.arousal, 4),
        valence=round(answer.valence, 4),
        seconds=round(len(signal) / SAMPLE_RATE, 3),
    )


def _printable(text: str) -> str:
    # What Python keeps of a file name that is no UTF-8 can be neither printed nor written as JSON.
    return text.encode(errors="surrogateescape").decode(errors="replace")


def _line(result: Classified) -> str:
    likeliest = sorted(result.probabilities.items(), key=lambda item: -item[1])[:3]
    filled = round(result.confidence * _BAR)
    others = ", ".join(f"{label} {share:.2f}" for label, share in likeliest)
    return (
        f"{result.emotion:<10} {'█' * filled}{'·' * (_BAR - filled)} {result.confidence:.2f}  "
        f"{result.file} ({result.seconds:.1f} s; {others})"
    )
