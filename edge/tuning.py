"""Values that commands have set over those of the configuration, kept across restarts in a small file."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import msgspec

from edge.kept_file import remove_kept, write_kept

_LOG = logging.getLogger(__name__)


class Tuning(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Values that hold until `reload`; None leaves a value to the configuration or the model."""

    sensitivity_db: float | None = None
    """Decibels by which speech may be quieter than configured"""

    threshold: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] | None = None
    """Calibrated confidence, 0 to 1, below which the answer is `uncertain`"""


class TuningFile:
    """Remembers a device's tuning.

    Args:
        folder: affectd's state folder; created when needed.
        device: name of the device, which is part of the file's name.
    """

    def __init__(self, folder: Path, device: str) -> None:
        self._file = folder / f"tuning-{device}.json"

    def read(self) -> Tuning:
        """The tuning stored last; a file that cannot be used is logged and ignored."""
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=Tuning)
        except (FileNotFoundError, NotADirectoryError):
            pass
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            _LOG.warning("cannot use %s (%s): using the configured values", self._file, error)
        return Tuning()

    def write(self, tuning: Tuning) -> bool:
        """Store this tuning; logs the error and returns False if that fails."""
        try:
            if tuning == Tuning():
                remove_kept(self._file)
                return True
            write_kept(self._file, msgspec.json.encode(tuning))
        except OSError as error:
            _LOG.warning("cannot write %s (%s): a restart will forget what was set", self._file, error)
            return False
        return True
