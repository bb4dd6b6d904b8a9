"""Whether somebody has muted the device: a file that outlives it."""

from __future__ import annotations

import logging
from pathlib import Path

_LOG = logging.getLogger(__name__)


class MuteMemory:
    """Remembers across restarts, by a file that is there while the device is muted.

    Args:
        folder: where affectd keeps what is to outlive it; made when it is needed.
        device: whose name the file carries.
    """

    def __init__(self, folder: Path, device: str) -> None:
        self._file = folder / f"muted-{device}"

    @property
    def muted(self) -> bool:
        """What was remembered last. Where it cannot be read, muted: rather deaf than listening unasked."""
        try:
            self._file.stat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            _LOG.warning("%s cannot be looked at (%s): starting muted", self._file, error)
        return True

    def remember(self, muted: bool) -> bool:
        """Write it down; False, and a line in the log, where that fails."""
        try:
            if muted:
                self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._file.touch()
            else:
                self._file.unlink(missing_ok=True)
        except OSError as error:
            _LOG.warning(
                "%s cannot be changed (%s): a restart forgets that muted is %s", self._file, error, muted
            )
            return False
        return True
