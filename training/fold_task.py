"""One fold of a protocol with one seed, as a task to send to a worker process. Quick to import."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from training.protocols import LEAVE_ONE_OUT, Protocol, Split
from training.recipe import Recipe


@dataclass(frozen=True, slots=True)
class FoldTask:
    """What to train on, by which recipe, and where to keep the run."""

    protocol: Protocol
    """The fold's protocol, without its splits, so that little is sent to the process"""

    split: Split
    recipe: Recipe
    """With the seed"""

    folder: Path
    """Run folder of this fold and seed"""

    base: Path | None
    """Folder of the finished run to start from; None: from scratch"""

    cache: Path
    """Folder of the feature cache"""

    teachers: tuple[Path, ...] = ()
    """Folders of finished runs whose outputs it learns from, besides the labels"""

    @property
    def name(self) -> str:
        """Its name in progress reports."""
        return f"seed {self.recipe.seed} fold {self.split.name}"


def fold_tasks(
    protocol: Protocol,
    recipe: Recipe,
    seeds: Sequence[int],
    runs: Path,
    cache: Path,
    bases: Path | None = None,
    teachers: Sequence[Path] = (),
) -> list[FoldTask]:
    """Every fold of a protocol with every seed, each in a folder of its own under `runs`.

    Args:
        protocol: with the folds.
        recipe: without the seed.
        seeds: each fold is run with each of them.
        runs: folder for the runs.
        cache: folder of the feature cache.
        bases: folder with finished runs of the same seeds and folds to start from. Without it, the form
            `multi` starts from the runs of P9 under `runs`, and all others start from scratch.
        teachers: folders with finished runs of the same seeds and folds, whose outputs each fold learns
            from, besides the labels.
    """
    alone = replace(protocol, splits=())

    def base(seed: int, fold: str) -> Path | None:
        if bases is not None:
            return bases / _fold_name(seed, fold)
        return fold_folder(runs, LEAVE_ONE_OUT, "joint", seed, protocol.base) if protocol.base else None

    return [
        FoldTask(
            protocol=alone,
            split=split,
            recipe=msgspec.structs.replace(recipe, seed=seed),
            folder=fold_folder(runs, protocol.name, protocol.form, seed, split.name),
            base=base(seed, split.name),
            cache=cache,
            teachers=tuple(folder / _fold_name(seed, split.name) for folder in teachers),
        )
        for seed in seeds
        for split in protocol.splits
    ]


def fold_folder(runs: Path, protocol: str, form: str, seed: int, fold: str) -> Path:
    """The run folder of one fold."""
    return runs / f"{protocol}-{form}" / _fold_name(seed, fold)


def _fold_name(seed: int, fold: str) -> str:
    return f"seed{seed}-fold{fold}"
