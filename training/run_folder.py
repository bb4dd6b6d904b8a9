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

_Kept = TypeVar("_Kept")


class RunMismatchError(WorkbenchError):
    """Raised when a folder holds a run with other clips or settings than those asked for."""


class DamagedRunError(WorkbenchError):
    """Raised when a file of a run's folder is there but cannot be read; the message names it."""

    @classmethod
    def of(cls, file: Path, reason: object) -> DamagedRunError:
        """The error for a file. Not a constructor: worker processes pickle errors by their message alone."""
        return cls(f"{file}: is damaged ({reason}); remove {file.parent}, and train it again")


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """What a run was started with, in `start.json`: only a run with the same may resume in its folder."""

    labels: tuple[str, ...]
    recipe: Recipe
    clips: str
    """Fingerprint of the clips"""

    base: str = ""
    """SHA-256 of the network that it starts from, if any"""

    teachers: str = ""
    """SHA-256 of the networks that it learns from, if any"""


class RunInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The description of a finished run, in `run.json` beside its network; written last."""

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
    """Of the network that was kept; None without validation speakers"""

    validation_speakers: tuple[str, ...]
    corpora: dict[str, int]
    """Training clips of each corpus"""

    speakers: tuple[str, ...] = ()
    """All speakers heard in training or validation; empty in runs older than this field"""

    licences: tuple[str, ...]

    commit: str | None = None
    """Commit of the sources that trained it, or its last part if it was resumed; see `training.provenance`"""

    seconds: float | None = None
    """Duration of the training, in the process that finished it"""

    leaning: LeaningPrior | None = None
    """None if there were too few clips to estimate it"""

    base: RunInfo | None = None
    """The run that it started from, if any"""

    teachers: tuple[RunInfo, ...] = ()
    """The runs whose outputs it learned from, if any"""


def is_claimed(folder: Path) -> bool:
    """Whether a run has begun in the folder."""
    return (folder / _START).is_file()


def is_finished(folder: Path) -> bool:
    """Whether the run in the folder is finished."""
    return (folder / _INFO).is_file()


def read_info(folder: Path) -> RunInfo:
    """The description of the finished run in the folder.

    Raises:
        DamagedRunError: when its file is damaged.
    """
    return read_kept(folder / _INFO, RunInfo)


def write_info(folder: Path, info: RunInfo) -> None:
    """Write the description of a run, which marks it as finished."""
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
    """Note in the folder what its run is started with; the folder is created if needed.

    Raises:
        RunMismatchError: when the folder holds a run that was started with something else.
        DamagedRunError: when the file that says so is damaged.
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
    begun = read_kept(file, Start)
    differing = [name for name in Start.__struct_fields__ if getattr(begun, name) != getattr(asked, name)]
    if differing:
        raise RunMismatchError(
            f"{folder}: holds a run with different {' and '.join(differing)}; name another folder, or remove "
            "this one"
        )


def fingerprint(clips: Sequence[Clip]) -> str:
    """SHA-256 over name, speaker and emotion of every clip, in any order."""
    lines = sorted(f"{clip.path.name}\t{clip.speaker}\t{clip.emotion}" for clip in clips)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def has_heard(folder: Path, clips: Sequence[Clip]) -> bool:
    """Whether the run of the folder was started with these clips and no others.

    Raises:
        DamagedRunError: when the file that says so is damaged.
    """
    return read_kept(folder / _START, Start).clips == fingerprint(clips)


def read_kept(file: Path, kind: type[_Kept]) -> _Kept:
    """A JSON file of a run's folder.

    Raises:
        DamagedRunError: when it cannot be decoded.
    """
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DamagedRunError.of(file, error) from error


def read_if_whole(file: Path, kind: type[_Kept]) -> _Kept | None:
    """A JSON file that can be made again; None if it is not there, or is damaged."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def write_whole(file: Path, content: bytes) -> None:
    """Write a file atomically: whole or not at all, even if the program is killed."""
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
    """Write the run's model card, without the hash of the flatbuffer, which does not exist yet."""
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
    """Write windows as the network sees them, of clips from every label and speaker in turn; seeded."""
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
    """Write the clips on which the converter compares the float network with the int8 model.

    Args:
        folder: of the run.
        examples: the clips, with their own frames.
        labels: of the network.
        held_out: whether they are of the validation speakers; otherwise the network was trained on them, and
            only the agreement of both models is meaningful.
    """
    np.savez_compressed(
        folder / "comparison.npz",
        frames=np.concatenate([e.frames for e in examples]),
        lengths=[len(e.frames) for e in examples],
        truth=[labels.index(e.clip.emotion) for e in examples],
        held_out=held_out,
        clips=[e.clip.path.name for e in examples],
    )
