"""What the publisher says in the log."""

from __future__ import annotations

import logging
import threading

from .brokers import TIMEOUT_S


class Log(logging.Handler):
    """Collects the publisher's log lines and says when one has come."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._came = threading.Condition()

    def emit(self, record: logging.LogRecord) -> None:
        with self._came:
            self.lines.append(record.getMessage())
            self._came.notify_all()

    def wait_for(self, part: str) -> str:
        with self._came:
            assert self._came.wait_for(lambda: any(part in line for line in self.lines), TIMEOUT_S), (
                self.lines
            )
            return next(line for line in self.lines if part in line)
