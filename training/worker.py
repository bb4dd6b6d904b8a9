"""What a process of `evaluate` does. Light to import: TensorFlow comes once the cores are counted."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.quiet_stderr import quiet_stderr
from training.protocols import Split
from training.recipe import Recipe

if TYPE_CHECKING:
    from training.fold import FoldResult


def prepare(cores: int) -> None:
    """Use so many cores in this process; must come before TensorFlow."""
    for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ[name] = str(cores)


def run(
    split: Split, labels: tuple[str, ...], recipe: Recipe, folder: Path, cache: Path, news: Any
) -> FoldResult:
    """One fold, whose epochs go into the queue `news`."""
    with quiet_stderr("tensorflow"):
        from training.fold import run_fold  # noqa: PLC0415

    name = f"seed {recipe.seed} fold {split.name}"
    return run_fold(
        split, labels, recipe, folder, cache, lambda epoch, loss, score: news.put((name, epoch, loss, score))
    )
