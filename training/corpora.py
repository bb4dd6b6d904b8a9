"""Read corpora from disk: published ones in their own layouts, and any other as a CSV."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

from training.clips import EMOTIONS, Clip, Corpus, CorpusError, Problem, label_of
from training.published import emodb, ravdess, tess

_TABLES = frozenset({"csv", "manifest"})
"""Two names of the same kind"""


def read_corpus(kind: str, place: Path, own_labels: Sequence[str] = ()) -> Corpus:
    """Read one corpus.

    Args:
        kind: a key of `READERS`.
        place: the corpus's folder, or for `csv` and `manifest` the file.
        own_labels: labels that a CSV may use besides `EMOTIONS`.

    Raises:
        CorpusError: when the place does not exist or holds no usable clip.
    """
    if kind not in READERS:
        raise CorpusError(f"unknown kind of corpus {kind!r}: choose one of {', '.join(READERS)}")
    if not place.exists():
        raise CorpusError(f"{place}: no such file or folder; give the path of the {kind} corpus")
    corpus = _table(place, own_labels) if kind in _TABLES else READERS[kind](place)
    if not corpus.clips:
        nothing = "it has no rows" if kind in _TABLES else "it holds no audio file"
        reasons = "; ".join(str(problem) for problem in corpus.problems[:3]) or nothing
        raise CorpusError(f"{place}: no usable clip of {kind}: {reasons}")
    return corpus


def _table(file: Path, own_labels: Sequence[str] = ()) -> Corpus:
    """Read a CSV: path, speaker, emotion and, optionally, corpus, language, fold, sex, licence.

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
        # Spreadsheets write these in countries where the comma is the decimal sign.
        otherwise = any(mark in column for column in columns for mark in ";\t")
        raise CorpusError(
            f"{file}: needs the columns path, speaker, emotion; missing: {', '.join(sorted(missing))}"
            + ("; columns are separated by commas" if otherwise else "")
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
        raise ValueError("no speaker: without one, the clip cannot be held out of training when it is tested")
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
        emotion=label_of(cell("emotion").lower(), {name: name for name in (*EMOTIONS, *own_labels)}),
        language=cell("language"),
        fold=int(fold or 0),
        sex=cell("sex"),
        licence=cell("licence"),
    )


READERS: dict[str, Callable[[Path], Corpus]] = {
    "ravdess": ravdess,
    "tess": tess,
    "emodb": emodb,
    "csv": _table,
    "manifest": _table,
}
"""The reader of each kind of corpus."""
