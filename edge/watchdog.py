"""Notifies systemd while the daemon runs: that it is ready, and that it still works.

The protocol is that of sd_notify(3): a datagram of `KEY=value` lines to the socket in NOTIFY_SOCKET.
"""

from __future__ import annotations

import logging
import os
import socket
import time

_LOG = logging.getLogger(__name__)

_SHARE = 0.25
"""Notification period, as a share of systemd's timeout; it recommends half, but a busy board may be late"""


class Watchdog:
    """Notifies systemd of the daemon's condition; does nothing without systemd."""

    def __init__(self) -> None:
        self._address = os.environ.get("NOTIFY_SOCKET", "")
        self.patience_s = _limit_s()
        """Seconds without a notification until systemd considers us hung, and seconds without progress until
        the daemon considers its recognition hung; infinite without a watchdog"""
        self._due = 0.0

    @property
    def is_listening(self) -> bool:
        """Whether systemd runs this process as a service, and wants to be notified."""
        return bool(self._address)

    def ready(self) -> None:
        """Report that the daemon is listening, or waiting for its microphone."""
        self._tell("READY=1")

    def feed(self) -> None:
        """Report that the daemon works; to be called often, and passed on only when due."""
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + _SHARE * self.patience_s
            self._tell("WATCHDOG=1")

    def stopping(self) -> None:
        """Report that the daemon is about to end."""
        self._tell("STOPPING=1")

    def _tell(self, text: str) -> None:
        if not self._address:
            return
        # A leading @ stands for the zero byte of an abstract socket.
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as connection:
                connection.connect(address)
                connection.sendall(text.encode())
        except OSError as error:
            _LOG.warning("cannot notify systemd of %s: %s", text, error)


def _limit_s() -> float:
    text, pid = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    if not text.isdigit() or pid not in {"", str(os.getpid())}:
        return float("inf")
    return int(text) / 1e6
