"""Labelled speech: clips, and what was read from a corpus."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from training.errors import WorkbenchError

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
    """Unique across all corpora; a person in two corpora has the same name in both"""

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


def label_of(code: str, names: Mapping[str, str]) -> str:
    """The label that a code stands for.

    Raises:
        ValueError: when it stands for none.
    """
    if code not in names:
        raise ValueError(f"unknown emotion {code!r}: expected one of {', '.join(names)}")
    return names[code]
