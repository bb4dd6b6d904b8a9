"""Where recordings wait for their turn: one is judged at a time, few wait, and what nobody wants is left."""

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
"""Takes whom to ask now and then whether to stop"""


class Desk:
    """Lets one piece of work after the other into a thread of its own. For one event loop."""

    def __init__(self, max_waiting: int) -> None:
        self._max_held = 1 + max_waiting
        self._held = 0
        self._closing = threading.Event()
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="judge")

    @property
    def held(self) -> int:
        """Recordings that are sent, wait or are judged."""
        return self._held

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold one of the places, from before the recording is taken in: what waits fills the memory.

        Raises:
            RequestError: when none is free.
        """
        if self._held >= self._max_held or self._closing.is_set():
            raise RequestError(
                503, f"{self._held} recordings are being judged or wait already; try again in a moment"
            )
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1

    async def do(self, work: Work[Result]) -> Result:
        """Have the work done; when this is cancelled, the work is told to stop.

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
        """Tell whatever is done to stop, and begin nothing more. Returns at once."""
        self._closing.set()
        self._executor.shutdown(wait=False, cancel_futures=True)
