"""Labelled speech: what a clip is, and how each corpus is read in the layout in which it is published."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from training.errors import WorkbenchError

AUDIO_SUFFIXES = frozenset({".wav", ".flac", ".ogg", ".mp3"})

EMOTIONS = ("angry", "boredom", "calm", "disgust", "fear", "happy", "neutral", "sad", "surprise")
"""Every label that a corpus here may use."""


class CorpusError(WorkbenchError):
    """Raised when a corpus cannot be used at all; the message says what, where and what to do."""


@dataclass(frozen=True, slots=True)
class Clip:
    """One labelled recording."""

    path: Path
    corpus: str
    speaker: str
    """Unique over all corpora; a person who is in two corpora has one name"""

    emotion: str
    language: str = ""
    """ISO 639-1"""

    fold: int = 0
    """Speaker-disjoint fold, from 1; 0 when the corpus has none"""

    sex: str = ""
    licence: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """A file or row that is left out, and why."""

    where: str
    why: str

    def __str__(self) -> str:
        return f"{self.where}: {self.why}"


@dataclass(slots=True)
class Corpus:
    """What was read: the clips, and what was left out."""

    clips: list[Clip] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def extend(self, other: Corpus) -> None:
        """Take in another corpus."""
        self.clips += other.clips
        self.problems += other.problems


def read_corpus(kind: str, place: Path, own_labels: Sequence[str] = ()) -> Corpus:
    """Read one corpus.

    Args:
        kind: a key of `READERS`.
        place: the corpus's folder, or for `csv` and `manifest` the file.
        own_labels: what a CSV may use beside `EMOTIONS`.

    Raises:
        CorpusError: when the place does not exist or holds not a single usable clip.
    """
    if kind not in READERS:
        raise CorpusError(f"unknown kind of corpus {kind!r}: choose one of {', '.join(READERS)}")
    if not place.exists():
        raise CorpusError(f"{place}: no such file or folder; name the place where {kind} was unpacked")
    corpus = _table(place, own_labels) if kind in {"csv", "manifest"} else READERS[kind](place)
    if not corpus.clips:
        reasons = "; ".join(str(problem) for problem in corpus.problems[:3]) or "it holds no audio file"
        raise CorpusError(f"{place}: no usable clip of {kind}: {reasons}")
    return corpus


_RAVDESS_EMOTION = {
    "01": "neutral",
    "02": "calm",
    "03": "happy",
    "04": "sad",
    "05": "angry",
    "06": "fear",
    "07": "disgust",
    "08": "surprise",
}

_EMOBOX_RAVDESS_FOLD = {
    actor: fold
    for fold, actors in {
        1: (1, 11, 20, 21),
        2: (4, 10, 12, 14),
        3: (8, 9, 19, 23),
        4: (3, 5, 7, 24),
        5: (2, 15, 16, 18),
        6: (6, 13, 17, 22),
    }.items()
    for actor in actors
}
"""Actor -> fold; Ma et al., "EmoBox", 2024."""


def _ravdess(folder: Path) -> Corpus:
    """RAVDESS speech and song: 03-01-EMOTION-INTENSITY-SENTENCE-TAKE-ACTOR; folds are EmoBox's."""

    def parse(path: Path) -> Clip:
        parts = path.stem.split("-")
        if len(parts) != 7 or parts[0] != "03" or not parts[6].isdigit():
            raise ValueError("not a RAVDESS audio name such as 03-01-05-02-01-01-12")
        if parts[1] not in {"01", "02"}:
            raise ValueError(f"vocal channel {parts[1]!r} is neither 01 (speech) nor 02 (song)")
        actor = int(parts[6])
        if actor not in _EMOBOX_RAVDESS_FOLD:
            raise ValueError(f"actor {parts[6]!r} is not one of 01 to 24")
        return Clip(
            path=path,
            corpus="ravdess" if parts[1] == "01" else "ravdess_song",
            speaker=f"ravdess_{actor:02d}",
            emotion=_label(parts[2], _RAVDESS_EMOTION),
            language="en",
            fold=_EMOBOX_RAVDESS_FOLD[actor],
            sex="m" if actor % 2 else "f",
            licence="CC BY-NC-SA 4.0",
        )

    return _walk(folder, parse)


_TESS_EMOTION = {
    "angry": "angry",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "happy",
    "neutral": "neutral",
    "ps": "surprise",
    "sad": "sad",
}


def _tess(folder: Path) -> Corpus:
    """TESS: ACTRESS_word_emotion; one fold for each of the two actresses."""

    def parse(path: Path) -> Clip:
        parts = path.stem.split("_")
        # The published archive holds one file whose actress is written OA.
        actress = {"OA": "OAF"}.get(parts[0], parts[0])
        if len(parts) != 3 or actress not in {"OAF", "YAF"}:
            raise ValueError("not a TESS name such as OAF_back_angry")
        return Clip(
            path=path,
            corpus="tess",
            speaker=f"tess_{actress}",
            emotion=_label(parts[2].lower(), _TESS_EMOTION),
            language="en",
            fold=1 if actress == "OAF" else 2,
            sex="f",
            licence="CC BY-NC-ND 4.0",
        )

    return _walk(folder, parse)


_EMODB_EMOTION = {
    "W": "angry",
    "L": "boredom",
    "E": "disgust",
    "A": "fear",
    "F": "happy",
    "T": "sad",
    "N": "neutral",
}
_EMODB_SPEAKERS = ("03", "08", "09", "10", "11", "12", "13", "14", "15", "16")
_EMODB_MEN = {"03", "10", "11", "12", "15"}


def _emodb(folder: Path) -> Corpus:
    """EMO-DB: SPEAKER TEXT EMOTION VERSION in seven letters, such as 03a01Fa; one fold for each speaker."""

    def parse(path: Path) -> Clip:
        name = path.stem
        if len(name) != 7 or name[:2] not in _EMODB_SPEAKERS:
            raise ValueError("not an EMO-DB name such as 03a01Fa")
        return Clip(
            path=path,
            corpus="emodb",
            speaker=f"emodb_{name[:2]}",
            emotion=_label(name[5], _EMODB_EMOTION),
            language="de",
            fold=1 + _EMODB_SPEAKERS.index(name[:2]),
            sex="m" if name[:2] in _EMODB_MEN else "f",
            licence="not confirmed",
        )

    return _walk(folder, parse)


def _table(file: Path, own_labels: Sequence[str] = ()) -> Corpus:
    """Any corpus as a CSV: path, speaker, emotion; if there, corpus, language, fold, sex, licence.

    Paths are relative to the CSV.
    """
    if file.is_dir():
        file /= "manifest.csv"
    corpus = Corpus()
    try:
        # Spreadsheets put a byte order mark before the first column's name.
        with file.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.DictReader(lines)
            columns, rows = reader.fieldnames or (), list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"{file}: cannot be read as a CSV table: {error}") from error
    missing = {"path", "speaker", "emotion"} - set(columns)
    if missing:
        raise CorpusError(
            f"{file}: needs the columns path, speaker, emotion; missing: {', '.join(sorted(missing))}"
        )
    for number, row in enumerate(rows, 2):
        try:
            corpus.clips.append(_row(row, file, own_labels))
        except ValueError as error:
            corpus.problems.append(Problem(f"{file}:{number}", str(error)))
    return corpus


def _row(row: dict[str, str], file: Path, own_labels: Sequence[str]) -> Clip:
    def cell(column: str) -> str:
        return (row.get(column) or "").strip()

    if not cell("speaker"):
        raise ValueError("no speaker: without one the clip cannot be kept out of its own test")
    path = file.parent / cell("path")
    if not path.is_file():
        raise ValueError(f"no such file: {path}")
    fold = cell("fold")
    if fold and not fold.isdigit():
        raise ValueError(f"fold {fold!r} is not a whole number")
    return Clip(
        path=path,
        corpus=cell("corpus") or file.stem,
        speaker=cell("speaker"),
        emotion=_label(cell("emotion").lower(), {name: name for name in (*EMOTIONS, *own_labels)}),
        language=cell("language"),
        fold=int(fold or 0),
        sex=cell("sex"),
        licence=cell("licence"),
    )


def _walk(folder: Path, parse: Callable[[Path], Clip]) -> Corpus:
    if not folder.is_dir():
        raise CorpusError(f"{folder}: is a file; name the folder of the corpus")
    corpus = Corpus()
    first: dict[str, Path] = {}
    for path in _audio_files(folder):
        try:
            clip = parse(path)
        except ValueError as error:
            corpus.problems.append(Problem(str(path), str(error)))
            continue
        # Some archives of these corpora hold every file twice, in a folder within the folder. A copy would
        # count twice in training and in every figure.
        if first.setdefault(path.stem, path) is path:
            corpus.clips.append(clip)
        else:
            corpus.problems.append(Problem(str(path), f"a second {path.stem}; {first[path.stem]} counts"))
    return corpus


def _audio_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in AUDIO_SUFFIXES and path.is_file() and not path.name.startswith("."):
            yield path


def _label(code: str, names: dict[str, str]) -> str:
    if code not in names:
        raise ValueError(f"unknown emotion {code!r}: expected one of {', '.join(names)}")
    return names[code]


READERS: dict[str, Callable[[Path], Corpus]] = {
    "ravdess": _ravdess,
    "tess": _tess,
    "emodb": _emodb,
    "csv": _table,
    "manifest": _table,
}
"""Kind of corpus, and its reader."""
