"""The queue of recordings: one is analysed at a time, few may wait, and unwanted work is abandoned."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from edge.web.errors import RequestError, StoppedError

Result = TypeVar("Result")
Work = Callable[[Callable[[], bool]], Result]
"""A piece of work; it is given a function that says whether to stop, to call now and then"""


class Desk:
    """Does one piece of work after the other, in a thread of its own. For one event loop."""

    def __init__(self, max_waiting: int) -> None:
        self._max_held = 1 + max_waiting
        self._held = 0
        self._closing = threading.Event()
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="judge")

    @property
    def held(self) -> int:
        """Recordings that are being received, wait or are being analysed."""
        return self._held

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place, from before the recording is received: recordings that wait take up memory.

        Raises:
            RequestError: when no place is free, or the desk is closed.
        """
        if self._closing.is_set():
            raise RequestError(503, "the dashboard is stopping; try again in a moment")
        if self._held >= self._max_held:
            raise RequestError(
                503, f"{self._held} recordings are already being analysed or waiting; try again in a moment"
            )
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1

    async def do(self, work: Work[Result]) -> Result:
        """Have the work done; if this is cancelled, the work is told to stop.

        Raises:
            StoppedError: when the desk is closed.
        """
        if self._closing.is_set():
            raise StoppedError
        unwanted = threading.Event()

        def stopped() -> bool:
            return unwanted.is_set() or self._closing.is_set()

        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, work, stopped)
        finally:
            unwanted.set()

    def close(self) -> None:
        """Tell the work in progress to stop, and start no more. Returns at once."""
        self._closing.set()
        self._executor.shutdown(wait=False, cancel_futures=True)
