"""The evaluation protocols: which clips train and which test, and under which labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from training.corpora import Clip
from training.errors import WorkbenchError

SHIPPED_LABELS = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")


class ProtocolError(WorkbenchError):
    """Raised when the clips at hand cannot support a protocol; the message says what is missing."""

    exit_code = 64


@dataclass(frozen=True, slots=True)
class Split:
    """One fold: nobody who speaks in `test` speaks in `train`."""

    name: str
    train: tuple[Clip, ...]
    test: tuple[Clip, ...]


@dataclass(frozen=True, slots=True)
class Protocol:
    """One way to measure, with its folds."""

    name: str
    form: str
    labels: tuple[str, ...]
    splits: tuple[Split, ...]


IN_CORPUS = {"P1": "ravdess", "P2": "emodb", "P3": "tess", "P4": "urdu", "P5": "nemo", "P6": "ased"}
"""Protocols whose `in` form trains and tests on the folds of one corpus."""

JOINT = "P8"
_JOINT_FOLDS = 6

NAMES = (*IN_CORPUS, JOINT)


def plan(name: str, clips: Sequence[Clip], only: Sequence[str] | None = None) -> Protocol:
    """The folds of a protocol over the clips at hand, or only those named.

    Raises:
        ProtocolError: when the protocol or a fold is unknown, or the clips do not support it.
    """
    protocol = _plan(name, clips)
    if only is None:
        return protocol
    unknown = set(only) - {split.name for split in protocol.splits}
    if unknown:
        raise ProtocolError(f"{name} has no fold {', '.join(sorted(unknown))}")
    return replace(protocol, splits=tuple(split for split in protocol.splits if split.name in only))


def _plan(name: str, clips: Sequence[Clip]) -> Protocol:
    if name in IN_CORPUS:
        corpus = IN_CORPUS[name]
        chosen = [clip for clip in clips if clip.corpus == corpus]
        if not chosen:
            raise ProtocolError(f"{name} needs the corpus {corpus}, and no clip of it is at hand")
        labels = tuple(sorted({clip.emotion for clip in chosen}))
        return Protocol(name, "in", labels, _folds(chosen))
    if name == JOINT:
        joint = [replace(clip, fold=(clip.fold - 1) % _JOINT_FOLDS + 1) for clip in shipped_clips(clips)]
        return Protocol(name, "joint", SHIPPED_LABELS, _folds(joint))
    raise ProtocolError(f"unknown protocol {name!r}: choose one of {', '.join(NAMES)}")


def shipped_clips(clips: Sequence[Clip]) -> list[Clip]:
    """The clips under the labels of the shipped model: calm counts as neutral, boredom is left out."""
    renamed = [replace(c, emotion="neutral") if c.emotion == "calm" else c for c in clips]
    return [clip for clip in renamed if clip.emotion in SHIPPED_LABELS]


def _folds(clips: Sequence[Clip]) -> tuple[Split, ...]:
    numbers = sorted({clip.fold for clip in clips})
    if 0 in numbers or len(numbers) < 2:
        raise ProtocolError("the clips need a fold each, and at least two folds; see the column `fold`")
    splits = []
    for number in numbers:
        test = tuple(clip for clip in clips if clip.fold == number)
        heard = {clip.speaker for clip in test}
        train = tuple(clip for clip in clips if clip.fold != number)
        shared = heard & {clip.speaker for clip in train}
        if shared:
            raise ProtocolError(f"fold {number}: {', '.join(sorted(shared))} would train and test")
        splits.append(Split(str(number), train, test))
    return tuple(splits)
