"""A whole protocol: its folds and seeds side by side, and the figures over them as one JSON."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from queue import Empty
from typing import Any

import msgspec
import numpy as np

from edge.errors import AffectdError
from training import worker
from training.fold import FoldResult
from training.metrics import confusion, grouped, summary, uar
from training.protocols import Protocol
from training.provenance import commit
from training.recipe import Recipe

Progress = Callable[[str, int, float, float | None], None]
"""Called with the fold's name, the epoch, the loss and the UAR on the validation speakers."""


def evaluate(
    protocol: Protocol,
    recipe: Recipe,
    seeds: Sequence[int],
    runs: Path,
    cache: Path,
    jobs: int,
    progress: Progress | None = None,
) -> list[FoldResult]:
    """Run every fold and seed, `jobs` at a time with one core each; finished ones are read back.

    Raises:
        TrainingError: when a fold cannot be trained; the others are then given up.
        BrokenProcessPool: when a fold's process was killed, as for want of memory.
    """
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager:
        news = manager.Queue()
        with ProcessPoolExecutor(jobs, mp_context=context, initializer=worker.prepare, initargs=(1,)) as pool:
            tasks = [
                pool.submit(
                    worker.run,
                    split,
                    protocol.labels,
                    msgspec.structs.replace(recipe, seed=seed),
                    runs / f"{protocol.name}-{protocol.form}" / f"seed{seed}-fold{split.name}",
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


def _pass_on(news: Any, progress: Progress | None, wait_s: float) -> bool:
    """Report one epoch if there is news of one; False when there is none."""
    try:
        name, epoch, loss, score = news.get(timeout=wait_s)
    except Empty:
        return False
    if progress:
        progress(name, epoch, loss, score)
    return True


def figures(
    protocol: Protocol, results: Sequence[FoldResult], command: str, network: str = "residual"
) -> dict[str, Any]:
    """The protocol's result as published: rates are fractions, over all folds and seeds together."""
    ordered = sorted(results, key=lambda r: (r.seed, int(r.fold)))
    truth = np.concatenate([r.truth for r in ordered])
    in_float = np.concatenate([r.float_answers for r in ordered])
    in_int8 = np.concatenate([r.int8_answers for r in ordered])
    speakers = [s for r in ordered for s in r.speakers]
    sexes = [s for r in ordered for s in r.sexes]
    corpora = [c for r in ordered for c in r.corpora]
    languages = {clip.corpus: clip.language for split in protocol.splits for clip in split.test}
    return {
        "protocol": protocol.name,
        "form": protocol.form,
        "speaker_dependent": protocol.speaker_dependent,
        "command": command,
        "commit": commit(),
        "seeds": sorted({r.seed for r in ordered}),
        "folds": sorted({int(r.fold) for r in ordered}),
        "model": {
            "name": network,
            "parameters": ordered[0].parameters,
            "macs": ordered[0].macs,
            "file_bytes": max(r.file_bytes for r in ordered),
            "runtime": ordered[0].runtime,
        },
        "labels": list(protocol.labels),
        "float": summary(truth, in_float, speakers),
        "int8": summary(truth, in_int8, speakers),
        "per_fold": [
            {
                "seed": r.seed,
                "fold": int(r.fold),
                "float_uar": round(uar(np.array(r.truth), np.array(r.float_answers)), 4),
                "int8_uar": round(uar(np.array(r.truth), np.array(r.int8_answers)), 4),
                "validation_uar": r.validation_uar and round(r.validation_uar, 4),
                "best_epoch": r.best_epoch,
            }
            for r in ordered
        ],
        "per_speaker": grouped(speakers, truth, in_int8),
        "per_sex": grouped(sexes, truth, in_int8),
        "per_corpus": grouped(corpora, truth, in_int8),
        "per_language": grouped([languages[c] for c in corpora], truth, in_int8),
        "confusion_int8": confusion(truth, in_int8, len(protocol.labels)),
        "left_out": sorted({line for r in ordered for line in r.left_out}),
    }
