"""A whole protocol: its folds and seeds side by side."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from functools import partial
from multiprocessing.managers import SyncManager
from pathlib import Path
from queue import Empty
from typing import TYPE_CHECKING, Any

import msgspec

from edge.errors import AffectdError
from training import worker
from training.progress import EpochDone
from training.protocols import LEAVE_ONE_OUT, Protocol
from training.recipe import Recipe

if TYPE_CHECKING:
    from training.fold import FoldResult

Progress = Callable[[str, EpochDone], None]
"""Called after each epoch with the fold's name."""


def evaluate(
    protocol: Protocol,
    recipe: Recipe,
    seeds: Sequence[int],
    runs: Path,
    cache: Path,
    jobs: int,
    progress: Progress | None = None,
    log: Path | None = None,
    bases: Path | None = None,
) -> list[FoldResult]:
    """Run every fold and seed, `jobs` at a time with one core each; finished ones are read back.

    Each that ends goes into the log of all runs, if there is one. The form `multi` starts from the finished
    folds of P9 under `runs`.

    Raises:
        BaseError: when there is no such fold.
        TrainingError: when a fold cannot be trained; the others are then given up.
        BrokenProcessPool: when a fold's process was killed, as for want of memory.
    """
    work = partial(worker.run, log)
    return _side_by_side(work, protocol, recipe, seeds, runs, cache, jobs, progress, bases)


def train_folds(
    protocol: Protocol,
    recipe: Recipe,
    seeds: Sequence[int],
    runs: Path,
    cache: Path,
    jobs: int,
    progress: Progress | None = None,
    bases: Path | None = None,
) -> None:
    """The first half of `evaluate`, which scores nothing: any backend of Keras will do."""
    _side_by_side(worker.train, protocol, recipe, seeds, runs, cache, jobs, progress, bases)


def _side_by_side(
    work: Callable[..., Any],
    protocol: Protocol,
    recipe: Recipe,
    seeds: Sequence[int],
    runs: Path,
    cache: Path,
    jobs: int,
    progress: Progress | None,
    bases: Path | None,
) -> list[Any]:
    context = multiprocessing.get_context("spawn")
    manager = SyncManager(ctx=context)
    manager.start(worker.end_with_parent)
    with manager:
        news = manager.Queue()
        with ProcessPoolExecutor(jobs, mp_context=context, initializer=worker.prepare, initargs=(1,)) as pool:
            tasks = [
                pool.submit(
                    work,
                    replace(protocol, splits=()),
                    split,
                    msgspec.structs.replace(recipe, seed=seed),
                    fold_folder(runs, protocol.name, protocol.form, seed, split.name),
                    _base_of(protocol, runs, seed, bases and bases / _fold_name(seed, split.name)),
                    cache,
                    news,
                )
                for seed in seeds
                for split in protocol.splits
            ]
            try:
                while not all(task.done() for task in tasks):
                    _pass_on(news, progress, wait_s=0.5)
                    for task in tasks:
                        if task.done():
                            task.result()
            except (ValueError, AffectdError, BrokenProcessPool):
                pool.shutdown(cancel_futures=True)
                raise
            while _pass_on(news, progress, wait_s=0.0):
                pass
            return [task.result() for task in tasks]


def fold_folder(runs: Path, protocol: str, form: str, seed: int, fold: str) -> Path:
    """Where the run of one fold is."""
    return runs / f"{protocol}-{form}" / _fold_name(seed, fold)


def _fold_name(seed: int, fold: str) -> str:
    return f"seed{seed}-fold{fold}"


def _base_of(protocol: Protocol, runs: Path, seed: int, given: Path | None) -> Path | None:
    if given or not protocol.base:
        return given
    return fold_folder(runs, LEAVE_ONE_OUT, "joint", seed, protocol.base)


def _pass_on(news: Any, progress: Progress | None, wait_s: float) -> bool:
    """Report one epoch if there is news of one; False when there is none."""
    try:
        name, done = news.get(timeout=wait_s)
    except Empty:
        return False
    if progress:
        progress(name, done)
    return True
