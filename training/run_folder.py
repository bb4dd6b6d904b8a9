"""The folder of a training run: its start, its end, and what the converter needs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.inference.card import ModelCard, describe_frontend, encode_card
from edge.inference.circumplex import circumplex
from edge.inference.leaning import LeaningPrior
from edge.inference.reference import ReferencePrior
from edge.inference.windows import cut_windows
from training.clips import Clip
from training.errors import WorkbenchError
from training.features import Example
from training.recipe import Recipe

Frames = NDArray[np.float32]

WINDOW_HOP = 50
"""Frames between the windows of a clip: `window_hop_s` of the device's settings"""

_CALIBRATION_CLIPS = 300
_INFO, _START = "run.json", "start.json"

_Kept = TypeVar("_Kept", bound=msgspec.Struct)


class RunMismatchError(WorkbenchError):
    """Raised when a folder holds a run of other clips or choices than those asked for."""


class DamagedRunError(WorkbenchError):
    """Raised when a file of a run's folder is there but cannot be read; the message names it."""

    @classmethod
    def of(cls, file: Path, reason: object) -> DamagedRunError:
        """The error of a file. No constructor: processes that train folds send it by its message alone."""
        return cls(f"{file}: is damaged ({reason}); train it anew")


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """What a run was started with, in `start.json`: only the same may go on in its folder."""

    labels: tuple[str, ...]
    recipe: Recipe
    clips: str
    """Their fingerprint"""

    base: str = ""
    """SHA-256 of the network that it started from, if from one"""

    teachers: str = ""
    """Likewise of those that it learns from, if from any"""


class RunInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a finished run says of itself, in `run.json` beside its network, written last."""

    labels: tuple[str, ...]
    recipe: Recipe
    mean: tuple[float, ...]
    std: tuple[float, ...]
    prior: ReferencePrior
    temperature: float
    epochs: int
    """Epochs trained"""

    best_epoch: int
    validation_uar: float | None
    """Of the network as it was kept"""

    validation_speakers: tuple[str, ...]
    corpora: dict[str, int]
    """Training clips of each corpus"""

    speakers: tuple[str, ...] = ()
    """Everybody heard in training or validation; empty in runs that were kept before this was noted"""

    licences: tuple[str, ...]

    commit: str | None = None
    """State of the sources that trained it, or its end where it was stopped; see `training.provenance`"""

    seconds: float | None = None
    """That it took, in the process that ended it"""

    leaning: LeaningPrior | None = None
    """None where there were too few clips to say"""

    base: RunInfo | None = None
    """Of the run that it went on from, if from one"""

    teachers: tuple[RunInfo, ...] = ()
    """Of the runs whose answers it learned from, if from any"""


def is_claimed(folder: Path) -> bool:
    """Whether a run has begun in the folder."""
    return (folder / _START).is_file()


def is_finished(folder: Path) -> bool:
    """Whether the run of the folder has come to its end."""
    return (folder / _INFO).is_file()


def read_info(folder: Path) -> RunInfo:
    """What the finished run of the folder says of itself.

    Raises:
        DamagedRunError: when its file is no longer whole.
    """
    return _read(folder / _INFO, RunInfo)


def write_info(folder: Path, info: RunInfo) -> None:
    """Say so: the run is finished then."""
    write_whole(folder / _INFO, msgspec.json.format(msgspec.json.encode(info), indent=1))


def check_folder(folder: Path) -> None:
    """Make sure that a run's folder is there or can be made.

    Raises:
        WorkbenchError: when a file is in its place, or in that of a folder above it.
    """
    there = next((place for place in (folder, *folder.parents) if place.exists()), folder)
    if there.is_file():
        raise WorkbenchError(f"{there}: is a file; name a folder for the run (--run)")


def claim_folder(
    folder: Path,
    clips: Sequence[Clip],
    labels: Sequence[str],
    recipe: Recipe,
    base: str = "",
    teachers: str = "",
) -> None:
    """Note in the folder what its run is started with; made anew if it is not there.

    Raises:
        RunMismatchError: when the folder holds the run of something else.
        DamagedRunError: when it no longer says of what.
    """
    asked = Start(
        labels=tuple(labels),
        recipe=recipe,
        clips=fingerprint(clips),
        base=base,
        teachers=teachers,
    )
    file = folder / _START
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(file, msgspec.json.format(msgspec.json.encode(asked), indent=1))
        return
    begun = _read(file, Start)
    differing = [name for name in Start.__struct_fields__ if getattr(begun, name) != getattr(asked, name)]
    if differing:
        raise RunMismatchError(
            f"{folder}: holds a run with other {' and '.join(differing)}; name another folder, or remove "
            "this one"
        )


def fingerprint(clips: Sequence[Clip]) -> str:
    """SHA-256 over name, speaker and emotion of every clip, in any order."""
    lines = sorted(f"{clip.path.name}\t{clip.speaker}\t{clip.emotion}" for clip in clips)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def has_heard(folder: Path, clips: Sequence[Clip]) -> bool:
    """Whether the run of the folder was started with these clips and no others.

    Raises:
        DamagedRunError: when it no longer says with which.
    """
    return _read(folder / _START, Start).clips == fingerprint(clips)


def _read(file: Path, kind: type[_Kept]) -> _Kept:
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DamagedRunError.of(file, error) from error


def write_whole(file: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, whenever the program is killed."""
    partial = file.with_name(file.name + ".partial")
    partial.write_bytes(content)
    partial.replace(file)


def write_card(
    folder: Path,
    labels: Sequence[str],
    recipe: Recipe,
    mean: Frames,
    std: Frames,
    prior: ReferencePrior,
    leaning: LeaningPrior | None,
    temperature: float,
    provenance: dict[str, Any],
) -> None:
    """The card of the run, all but the hash of the flatbuffer that does not exist yet."""
    card = ModelCard(
        name=recipe.name,
        labels=tuple(labels),
        frontend=describe_frontend(recipe.mfcc_config),
        n_frames=recipe.n_frames,
        reference=prior,
        leaning=leaning,
        mean=tuple(mean.tolist()),
        std=tuple(std.tolist()),
        temperature=round(temperature, 4),
        uncertain_below=recipe.uncertain_below,
        circumplex={label: recipe.circumplex.get(label) or circumplex(label) for label in labels},
        provenance=provenance,
        licence=", ".join(provenance["licences"]),
    )
    (folder / "card.json").write_bytes(encode_card(card))


def write_calibration(
    folder: Path, training: Sequence[Example], recipe: Recipe, mean: Frames, std: Frames
) -> None:
    """Windows of clips as the network sees them, in turn from every label and speaker; the seed pins them."""
    groups: dict[tuple[str, str], list[Example]] = {}
    rng = np.random.default_rng(recipe.seed)
    for i in rng.permutation(len(training)):
        clip = training[i].clip
        groups.setdefault((clip.emotion, clip.speaker), []).append(training[i])
    rounds = range(max(map(len, groups.values())))
    in_turn = [group[turn] for turn in rounds for group in groups.values() if turn < len(group)]
    chosen = in_turn[:_CALIBRATION_CLIPS]
    windows = [cut_windows((e.frames - mean) / std, recipe.n_frames, WINDOW_HOP) for e in chosen]
    np.savez_compressed(
        folder / "calibration.npz",
        windows=np.concatenate(windows),
        clips=[e.clip.path.name for e in chosen],
    )


def write_comparison(
    folder: Path, examples: Sequence[Example], labels: Sequence[str], held_out: bool
) -> None:
    """Clips on which the converter compares the float network with the int8 model.

    Args:
        folder: of the run.
        examples: the clips, as they are.
        labels: of the network.
        held_out: whether they are of the validation speakers; else the network has learned from them, and
            only whether both agree says anything.
    """
    np.savez_compressed(
        folder / "comparison.npz",
        frames=np.concatenate([e.frames for e in examples]),
        lengths=[len(e.frames) for e in examples],
        truth=[labels.index(e.clip.emotion) for e in examples],
        held_out=held_out,
        clips=[e.clip.path.name for e in examples],
    )
