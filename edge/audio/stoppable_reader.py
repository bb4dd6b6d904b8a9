"""Reads from pipes in a way that another thread can interrupt at once."""

from __future__ import annotations

import array
import fcntl
import os
import select
import socket
import termios
import threading
from collections.abc import Collection


class StoppableReader:
    """Reads from whichever of several file descriptors has data first, until `stop`."""

    def __init__(self) -> None:
        # Sockets rather than a pipe: they are closed by the garbage collector if a source is never used.
        self._woken, self._waker = socket.socketpair()
        self._stopped = False
        self._in_read = False
        self._close_after_read = False
        self._stopping = threading.RLock()
        self._reading = threading.RLock()

    @property
    def stopped(self) -> bool:
        """Whether `stop` has been called."""
        return self._stopped

    def read(
        self,
        descriptors: Collection[int],
        n_bytes: int,
        timeout_s: float | None = None,
        gather_s: float = 0.0,
    ) -> tuple[int, bytes] | None:
        """The first descriptor that has bytes, with up to `n_bytes` of them; b"" at its end.

        None once stopped, or if nothing came for `timeout_s` seconds. If fewer than `n_bytes` are there, it
        waits `gather_s` seconds for more.
        """
        with self._reading:
            self._in_read = True
            try:
                descriptor = self._wait(descriptors, timeout_s)
                if descriptor is not None and gather_s and _waiting_bytes(descriptor) < n_bytes:
                    self._wait((), gather_s)
                # A signal handler may have called `stop` meanwhile, on this very thread.
                if descriptor is None or self._stopped:
                    return None
                return descriptor, os.read(descriptor, n_bytes)
            finally:
                self._in_read = False
                if self._close_after_read:
                    self._close()

    def _wait(self, descriptors: Collection[int], timeout_s: float | None) -> int | None:
        """The first descriptor that has bytes; None once stopped, or after the timeout."""
        if self._stopped:
            return None
        poll = select.poll()
        for descriptor in (*descriptors, self._woken.fileno()):
            poll.register(descriptor, select.POLLIN)
        events = poll.poll(None if timeout_s is None else 1000.0 * timeout_s)
        return events[0][0] if events else None

    def stop(self) -> None:
        """Ends the read in progress and every later one; a second call does nothing.

        Once it has returned, no descriptor is being read any more, so that they may be closed.
        """
        with self._stopping:
            if not self._stopped:
                self._stopped = True
                self._waker.send(b"\0")
            with self._reading:
                # Still reading: this is a signal handler, and the read that it interrupted needs the sockets.
                if self._in_read:
                    self._close_after_read = True
                else:
                    self._close()

    def _close(self) -> None:
        self._waker.close()
        self._woken.close()


def _waiting_bytes(descriptor: int) -> int:
    waiting = array.array("i", [0])
    try:
        fcntl.ioctl(descriptor, termios.FIONREAD, waiting)
    except OSError:
        return 0
    return waiting[0]
