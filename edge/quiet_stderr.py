"""Keeps what C libraries print off standard error, while the log still reaches it."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from typing import IO, TextIO

_log = logging.getLogger(__name__)

_STDERR = 2


class _Redirection:
    """Redirects file descriptor 2: set up by the first user, undone by the last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted_by = 0
        self._saved = -1
        self._heard: IO[bytes] | None = None

    def begin(self) -> None:
        with self._lock:
            if not self._wanted_by:
                self._redirect()
            self._wanted_by += 1

    def end(self) -> bytes:
        """Undo the redirection if this is its last user; returns what was printed meanwhile, else nothing."""
        with self._lock:
            self._wanted_by -= 1
            return b"" if self._wanted_by else self._restore()

    def give_back(self) -> None:
        """Undo the redirection while it is still in use."""
        with self._lock:
            self._restore()

    def _restore(self) -> bytes:
        if self._heard is None:
            return b""
        _flush()
        os.dup2(self._saved, _STDERR)
        os.close(self._saved)
        with self._heard as heard:
            self._heard = None
            heard.seek(0)
            return heard.read()

    def _redirect(self) -> None:
        try:
            self._saved = os.dup(_STDERR)
        except OSError:
            return
        self._heard = _scratch()
        _flush()
        os.dup2(self._heard.fileno(), _STDERR)


_redirection = _Redirection()


@contextlib.contextmanager
def quiet_stderr(speaker: str) -> Iterator[None]:
    """Sends everything that reaches file descriptor 2 in the body to the debug log instead.

    The redirection holds for the whole process, so the body should be short. Nothing is lost: a line that
    another thread prints meanwhile is logged as well. Bodies may overlap. Where standard error is closed,
    nothing is redirected.

    Args:
        speaker: Name of the library that is expected to print, for the log.
    """
    _redirection.begin()
    try:
        yield
    finally:
        for line in _redirection.end().decode(errors="replace").splitlines():
            _log.debug("%s: %s", speaker, line)


def give_stderr_back() -> None:
    """End every redirection at once, because the body of one will never end."""
    _redirection.give_back()


def lasting_stderr() -> TextIO:
    """A copy of standard error that no redirection affects, so that the log works while a library hangs."""
    try:
        return os.fdopen(os.dup(_STDERR), "w", 1, encoding="utf-8", errors="backslashreplace")
    except OSError:
        return sys.stderr


def _scratch() -> IO[bytes]:
    """A file in memory if the system supports that: a service's disk may be read-only."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("stderr"), "w+b")
    return tempfile.TemporaryFile()


def _flush() -> None:
    # The embedding program may have removed or closed sys.stderr; there is nothing to flush then.
    with contextlib.suppress(AttributeError, OSError, ValueError):
        sys.stderr.flush()
