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
    """Its path, with � in place of bytes that are not valid UTF-8"""

    emotion: str
    confidence: float
    probabilities: dict[str, float]
    arousal: float
    valence: float
    seconds: float
    """Length of the recording"""


def classify_files(model: EmotionModel, paths: Sequence[str], as_json: bool) -> int:
    """Print one line per file; files that cannot be used are reported on standard error.

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
    """Classify one recording as a single turn.

    Raises:
        AudioError: when the file is not usable audio.
        TooShortError: when it contains no speech to classify.
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
    # Python keeps undecodable bytes of a file name as surrogates, which can be neither printed nor JSON.
    return text.encode(errors="surrogateescape").decode(errors="replace")


def _line(result: Classified) -> str:
    likeliest = sorted(result.probabilities.items(), key=lambda item: -item[1])[:3]
    filled = round(result.confidence * _BAR)
    others = ", ".join(f"{label} {share:.2f}" for label, share in likeliest)
    return (
        f"{result.emotion:<10} {'█' * filled}{'·' * (_BAR - filled)} {result.confidence:.2f}  "
        f"{result.file} ({result.seconds:.1f} s; {others})"
    )
