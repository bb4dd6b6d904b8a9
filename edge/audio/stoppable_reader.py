"""Reading from pipes in a way that another thread can end at once."""

from __future__ import annotations

import os
import select
import socket
import threading
from collections.abc import Collection


class StoppableReader:
    """Reads whatever comes first on several file descriptors, until `stop`."""

    def __init__(self) -> None:
        # Sockets rather than a pipe: they close themselves when a source is dropped unused.
        self._woken, self._waker = socket.socketpair()
        self._stopped = False
        self._stopping = threading.RLock()
        self._reading = threading.RLock()

    @property
    def stopped(self) -> bool:
        """Whether `stop` has been called."""
        return self._stopped

    def read(
        self, descriptors: Collection[int], n_bytes: int, timeout_s: float | None = None
    ) -> tuple[int, bytes] | None:
        """The first of the descriptors that has bytes, with up to `n_bytes` of them; b"" at its end.

        None once stopped, or when nothing came for `timeout_s` seconds.
        """
        with self._reading:
            if self._stopped:
                return None
            poll = select.poll()
            for descriptor in (*descriptors, self._woken.fileno()):
                poll.register(descriptor, select.POLLIN)
            events = poll.poll(None if timeout_s is None else 1000.0 * timeout_s)
            # A signal handler may have called `stop` inside the poll, on this very thread.
            if self._stopped or not events:
                return None
            descriptor = events[0][0]
            return descriptor, os.read(descriptor, n_bytes)

    def stop(self) -> None:
        """Ends the read in progress and every later one; a second call does nothing.

        Once it has returned, no descriptor is being read, so that they may be closed.
        """
        with self._stopping:
            if not self._stopped:
                self._stopped = True
                self._waker.send(b"\0")
            with self._reading:
                self._waker.close()
                self._woken.close()
