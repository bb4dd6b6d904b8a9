"""What commands have set finer than the configuration, kept over a restart in a small file."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import msgspec

from edge.kept_file import write_kept

_LOG = logging.getLogger(__name__)


class Tuning(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Values that hold until `reload`; null where the configuration or the model says."""

    sensitivity_db: float | None = None
    """Decibels by which speech may be quieter than configured"""

    threshold: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] | None = None
    """Calibrated confidence, 0 to 1, below which the answer is `uncertain`"""


class TuningFile:
    """Remembers a device's tuning.

    Args:
        folder: where affectd keeps what is to outlive it; made when it is needed.
        device: whose name the file carries.
    """

    def __init__(self, folder: Path, device: str) -> None:
        self._file = folder / f"tuning-{device}.json"

    def read(self) -> Tuning:
        """What was remembered last. A file that cannot be used is said to be so, and passed over."""
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=Tuning)
        except (FileNotFoundError, NotADirectoryError):
            pass
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            _LOG.warning("%s cannot be used (%s): going on as configured", self._file, error)
        return Tuning()

    def write(self, tuning: Tuning) -> bool:
        """Remember this in place of what was; False, and a line in the log, where that fails."""
        try:
            if tuning == Tuning():
                self._file.unlink(missing_ok=True)
                return True
            write_kept(self._file, msgspec.json.encode(tuning))
        except OSError as error:
            _LOG.warning("%s cannot be written (%s): a restart forgets what was set", self._file, error)
            return False
        return True
