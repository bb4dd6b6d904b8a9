"""Corpora in the layouts in which they are published."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from training.clips import Clip, Corpus, CorpusError, Problem, label_of

_AUDIO_SUFFIXES = frozenset({".wav", ".flac", ".ogg", ".mp3"})

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


def ravdess(folder: Path) -> Corpus:
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
            emotion=label_of(parts[2], _RAVDESS_EMOTION),
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


def tess(folder: Path) -> Corpus:
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
            emotion=label_of(parts[2].lower(), _TESS_EMOTION),
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


def emodb(folder: Path) -> Corpus:
    """EMO-DB: SPEAKER TEXT EMOTION VERSION in seven letters, such as 03a01Fa; one fold for each speaker."""

    def parse(path: Path) -> Clip:
        name = path.stem
        if len(name) != 7 or name[:2] not in _EMODB_SPEAKERS:
            raise ValueError("not an EMO-DB name such as 03a01Fa")
        return Clip(
            path=path,
            corpus="emodb",
            speaker=f"emodb_{name[:2]}",
            emotion=label_of(name[5], _EMODB_EMOTION),
            language="de",
            fold=1 + _EMODB_SPEAKERS.index(name[:2]),
            sex="m" if name[:2] in _EMODB_MEN else "f",
            licence="not confirmed",
        )

    return _walk(folder, parse)


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
            corpus.problems.append(Problem(str(path), f"a second {path.stem}; {first[path.stem]} is used"))
    return corpus


def _audio_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in _AUDIO_SUFFIXES and path.is_file() and not path.name.startswith("."):
            yield path
