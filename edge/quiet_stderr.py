"""Keeping what a C library prints off the terminal."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from typing import IO

_log = logging.getLogger(__name__)

_STDERR = 2


@contextlib.contextmanager
def quiet_stderr(speaker: str) -> Iterator[None]:
    """Everything that reaches file descriptor 2 in the body goes to the debug log instead.

    The redirection holds for the whole process, so the body should be short. Nothing is lost: a line that
    another thread prints meanwhile is logged as well. Where standard error is closed, nothing is redirected.

    Args:
        speaker: Who is expected to print, for the log.
    """
    try:
        saved = os.dup(_STDERR)
    except OSError:
        yield
        return
    with _scratch() as heard:
        _flush()
        os.dup2(heard.fileno(), _STDERR)
        try:
            yield
        finally:
            _flush()
            os.dup2(saved, _STDERR)
            os.close(saved)
            heard.seek(0)
            for line in heard.read().decode(errors="replace").splitlines():
                _log.debug("%s: %s", speaker, line)


def _scratch() -> IO[bytes]:
    """A file in memory where the system has such: a service's disk may be read-only."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("stderr"), "w+b")
    return tempfile.TemporaryFile()


def _flush() -> None:
    # A host may have taken stderr away or closed it; there is nothing to flush then.
    with contextlib.suppress(AttributeError, OSError, ValueError):
        sys.stderr.flush()
