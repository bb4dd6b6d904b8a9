"""Remembers across restarts whether the device is muted."""

from __future__ import annotations

import logging
from pathlib import Path

from edge.kept_file import remove_kept, sync_folder

_LOG = logging.getLogger(__name__)


class MuteMemory:
    """Remembers the mute state in a file that exists while the device is muted.

    Args:
        folder: affectd's state folder; created when needed.
        device: name of the device, which is part of the file's name.
    """

    def __init__(self, folder: Path, device: str) -> None:
        self._file = folder / f"muted-{device}"

    @property
    def muted(self) -> bool:
        """The state stored last; if it cannot be read, True: better not to listen than to listen unasked."""
        try:
            self._file.stat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            _LOG.warning("cannot check for %s (%s): starting muted", self._file, error)
        return True

    def remember(self, muted: bool) -> bool:
        """Store the mute state; logs the error and returns False if that fails."""
        try:
            if muted:
                self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._file.touch()
                sync_folder(self._file.parent)
            else:
                remove_kept(self._file)
        except OSError as error:
            _LOG.warning(
                "cannot change %s (%s): a restart will forget that muted is %s", self._file, error, muted
            )
            return False
        return True
