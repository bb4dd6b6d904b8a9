"""Worker processes that stop when the work fails or is interrupted, instead of finishing what is queued."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

from training.end_with_parent import end_with_parent


@contextmanager
def worker_pool(
    jobs: int, initializer: Callable[..., None] | None = None, initargs: tuple[Any, ...] = ()
) -> Iterator[ProcessPoolExecutor]:
    """A pool of processes, for a `with` statement.

    When the block ends with an exception, such as Ctrl-C, the work under way is ended and the rest cancelled:
    waiting for it could take hours. Work that must survive this has to be saved as it goes, as the epochs of
    a fold are.

    Args:
        jobs: number of processes.
        initializer: called in each process before its work; a module-level function.
        initargs: its arguments.
    """
    others = set(multiprocessing.active_children())
    # Not forked: the fork of a process whose libraries have threads may wait for a lock forever.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin, initargs=(initializer, initargs))
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        raise
    finally:
        pool.shutdown()


def _begin(initializer: Callable[..., None] | None, initargs: tuple[Any, ...]) -> None:
    # Ctrl-C reaches every process of a terminal's foreground group. The parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    if initializer:
        initializer(*initargs)
