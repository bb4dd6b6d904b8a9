"""Check that the runs a fold builds on, its base and teachers, have not heard its test speakers."""

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
    """Make sure that these runs have not heard the test speakers of a fold.

    In a speaker-dependent protocol, the test speakers may be heard in training, but not the test clips: the
    runs must have been trained on the training clips of the fold and no others.

    Args:
        folders: of the finished runs.
        protocol: of the fold.
        split: the fold.
        training: its training clips, without those that cannot be read.

    Raises:
        BaseError: when one has heard a test speaker, or may have, or there is no finished run.
    """
    tested = {clip.speaker for clip in split.test}
    for folder in folders:
        info = read_base(folder).info
        if protocol.speaker_dependent:
            if not has_heard(folder, training):
                raise BaseError(
                    f"{folder}: was trained on other clips than this fold, perhaps on its test clips: name "
                    f"runs of {protocol.name} over the same corpora"
                )
            continue
        heard = speakers_heard(info)
        if heard is None:
            raise BaseError(f"{folder}: has no record of its speakers, which newer runs have: train it again")
        if known := sorted(tested & heard):
            names = ", ".join(known[:_NAMED]) + (" and others" if len(known) > _NAMED else "")
            raise BaseError(
                f"{folder}: has heard {names}, tested in fold {split.name}: name runs of the same "
                "fold and corpora"
            )


def speakers_trained_on(infos: Sequence[RunInfo]) -> set[str] | None:
    """Speakers on whom runs, and the runs that they build on, were trained: not those of their validation.

    None if one of them has no record of its speakers.
    """
    found: set[str] = set()
    for info in infos:
        before = speakers_trained_on([*([info.base] if info.base else []), *info.teachers])
        if before is None or not info.speakers:
            return None
        found |= before | (set(info.speakers) - set(info.validation_speakers))
    return found


def speakers_heard(info: RunInfo) -> set[str] | None:
    """All speakers heard by a run and the runs that it builds on; None if one of them has no record of them.

    Speakers are matched by name: the same name in two corpora counts as one person, as everywhere.
    """
    heard = set(info.speakers)
    for other in (*([info.base] if info.base else []), *info.teachers):
        theirs = speakers_heard(other)
        if theirs is None:
            return None
        heard |= theirs
    return heard if info.speakers else None
