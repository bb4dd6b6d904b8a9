"""Nobody whom a fold is tested on was heard by the runs that it builds on: its base, and its teachers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from training.base import BaseError, read_base
from training.clips import Clip
from training.protocols import Protocol, Split
from training.run_folder import RunInfo, has_heard

_NAMED = 3


def check_unheard(
    folders: Sequence[Path],
    protocol: Protocol,
    split: Split,
    training: Sequence[Clip],
) -> None:
    """Make sure of it before a fold goes on from these runs.

    Where the protocol lets the people of the test be heard in training, its clips must not have been: the
    runs are to have learned from the training clips of the fold and from no others.

    Args:
        folders: of the finished runs.
        protocol: whose fold it is.
        split: the fold.
        training: its training clips, less those that cannot be read.

    Raises:
        BaseError: when one has heard a test speaker, or may have, or there is no finished run.
    """
    tested = {clip.speaker for clip in split.test}
    for folder in folders:
        info = read_base(folder).info
        if protocol.speaker_dependent:
            if not has_heard(folder, training):
                raise BaseError(
                    f"{folder}: has heard other clips than this fold trains on, perhaps those of its "
                    f"test: name runs of {protocol.name} over the same corpora"
                )
            continue
        heard = speakers_heard(info)
        if heard is None:
            raise BaseError(f"{folder}: does not say whom it has heard, as runs do now: train it again")
        if known := sorted(tested & heard):
            names = ", ".join(known[:_NAMED]) + (" and others" if len(known) > _NAMED else "")
            raise BaseError(
                f"{folder}: has heard {names}, on whom fold {split.name} is tested: name runs of the same "
                "fold and corpora"
            )


def speakers_heard(info: RunInfo) -> set[str] | None:
    """Everybody whom a run and those that it builds on have heard; None where one of them does not say.

    By name: one that stands for two people in two corpora is taken for one person, as everywhere.
    """
    heard = set(info.speakers)
    for other in (*([info.base] if info.base else []), *info.teachers):
        theirs = speakers_heard(other)
        if theirs is None:
            return None
        heard |= theirs
    return heard if info.speakers else None
