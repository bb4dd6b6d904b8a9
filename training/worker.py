"""What a process of `evaluate` does. Light to import: TensorFlow comes once the cores are counted."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edge.quiet_stderr import quiet_stderr
from training.progress import EpochDone
from training.protocols import Protocol, Split
from training.recipe import Recipe
from training.run_log import append_run

if TYPE_CHECKING:
    from training.fold import FoldResult


def prepare(cores: int) -> None:
    """Use so many cores, and end with the process that started this one; must come before TensorFlow."""
    for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ[name] = str(cores)
    end_with_parent()


def end_with_parent() -> None:
    """Let this process end when its parent does, however that ends.

    A killed `evaluate` must not leave processes behind that train on, into folders that others may use.
    """
    threading.Thread(target=_outlive_nobody, name="end with parent", daemon=True).start()


def _outlive_nobody() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def train(
    protocol: Protocol,
    split: Split,
    recipe: Recipe,
    folder: Path,
    base: Path | None,
    cache: Path,
    news: Any,
) -> None:
    """Only the training of a fold: needs any backend of Keras, where scoring needs TensorFlow."""
    with quiet_stderr("tensorflow"):
        from training.features import FeatureCache  # noqa: PLC0415
        from training.fit import fit  # noqa: PLC0415

    examples, _ = FeatureCache(cache, recipe.mfcc_config).load(split.train, workers=1)
    fit(examples, protocol.labels, recipe, folder, _tell(news, recipe, split), base)


def run(
    log: Path | None,
    protocol: Protocol,
    split: Split,
    recipe: Recipe,
    folder: Path,
    base: Path | None,
    cache: Path,
    news: Any,
) -> FoldResult:
    """One fold, whose epochs go into the queue `news`, and its end into the log of all runs."""
    with quiet_stderr("tensorflow"):
        from training.fold import run_fold  # noqa: PLC0415
        from training.metrics import uar  # noqa: PLC0415

    is_new = not (folder / "result.json").exists()
    result = run_fold(protocol, split, recipe, folder, base, cache, _tell(news, recipe, split))
    if log is not None and is_new:
        append_run(
            log,
            commit=result.commit,
            protocol=f"{protocol.name}-{protocol.form}",
            recipe=recipe,
            fold=result.fold,
            validation_uar=result.validation_uar,
            test_uar=uar(np.array(result.truth), np.array(result.int8_answers)),
            seconds=result.seconds,
        )
    return result


def _tell(news: Any, recipe: Recipe, split: Split) -> Callable[[EpochDone], None]:
    name = f"seed {recipe.seed} fold {split.name}"
    return lambda done: news.put((name, done))
