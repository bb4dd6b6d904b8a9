"""The worker process of `evaluate`. Quick to import: TensorFlow follows once the number of cores is set."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edge.quiet_stderr import quiet_stderr
from training.fold_task import FoldTask
from training.progress import EpochDone
from training.run_log import append_run

if TYPE_CHECKING:
    from training.fold import FoldResult


def prepare(cores: int) -> None:
    """Use so many cores; call it before TensorFlow is imported."""
    for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ[name] = str(cores)


def train(task: FoldTask, news: Any) -> None:
    """Train a fold without scoring it: any Keras backend will do, whereas scoring needs TensorFlow."""
    with quiet_stderr("tensorflow"):
        from training.features import FeatureCache  # noqa: PLC0415
        from training.fit import fit  # noqa: PLC0415

    examples, _ = FeatureCache(task.cache, task.recipe.mfcc_config).load(task.split.train, workers=1)
    labels = task.protocol.labels
    fit(examples, labels, task.recipe, task.folder, _tell(news, task), task.base, teachers=task.teachers)


def run(log: Path | None, task: FoldTask, news: Any) -> FoldResult:
    """Run one fold, report its epochs to the queue `news`, and add it to the log of all runs at the end."""
    with quiet_stderr("tensorflow"):
        from training.fold import run_fold  # noqa: PLC0415
        from training.metrics import uar  # noqa: PLC0415

    is_new = not (task.folder / "result.json").exists()
    result = run_fold(task, _tell(news, task))
    if log is not None and is_new:
        append_run(
            log,
            commit=result.commit,
            protocol=f"{task.protocol.name}-{task.protocol.form}",
            recipe=task.recipe,
            fold=result.fold,
            validation_uar=result.validation_uar,
            test_uar=uar(np.array(result.truth), np.array(result.int8_answers)),
            seconds=result.seconds,
        )
    return result


def _tell(news: Any, task: FoldTask) -> Callable[[EpochDone], None]:
    return lambda done: news.put((task.name, done))
