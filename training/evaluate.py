"""Run folds and seeds in parallel, each in a process of its own."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from functools import partial
from multiprocessing.managers import SyncManager
from pathlib import Path
from queue import Empty
from typing import TYPE_CHECKING, Any

from training import worker
from training.end_with_parent import end_with_parent
from training.fold_task import FoldTask
from training.pool import worker_pool
from training.progress import EpochDone

if TYPE_CHECKING:
    from training.fold import FoldResult

Progress = Callable[[str, EpochDone], None]
"""Called after each epoch with the fold's name."""


def evaluate(
    tasks: Sequence[FoldTask], jobs: int, progress: Progress | None = None, log: Path | None = None
) -> list[FoldResult]:
    """Train and score folds, `jobs` at a time with one core each; finished ones are read back.

    Each fold that finishes is added to the log of all runs, if one is given.

    Raises:
        BaseError: when the run to start from does not exist.
        TrainingError: when a fold cannot be trained; the other folds then stop, and resume in the next call.
        BrokenProcessPool: when a worker process was killed, for example because memory ran out.
    """
    return _side_by_side(partial(worker.run, log), tasks, jobs, progress)


def train_folds(tasks: Sequence[FoldTask], jobs: int, progress: Progress | None = None) -> None:
    """Train folds without scoring them, the first half of `evaluate`: any Keras backend will do."""
    _side_by_side(worker.train, tasks, jobs, progress)


def _side_by_side(
    work: Callable[[FoldTask, Any], Any], tasks: Sequence[FoldTask], jobs: int, progress: Progress | None
) -> list[Any]:
    context = multiprocessing.get_context("spawn")
    manager = SyncManager(ctx=context)
    manager.start(end_with_parent)
    with manager:
        news = manager.Queue()
        with worker_pool(jobs, worker.prepare, (1,)) as pool:
            begun = [pool.submit(work, task, news) for task in tasks]
            while not all(fold.done() for fold in begun):
                _pass_on(news, progress, wait_s=0.5)
                for fold in begun:
                    if fold.done():
                        fold.result()
            while _pass_on(news, progress, wait_s=0.0):
                pass
            return [fold.result() for fold in begun]


def _pass_on(news: Any, progress: Progress | None, wait_s: float) -> bool:
    """Report one epoch if one is in the queue; False if there is none."""
    try:
        name, done = news.get(timeout=wait_s)
    except Empty:
        return False
    if progress:
        progress(name, done)
    return True
