"""The file of the enrolled voice: written by an explicit enrolment, removed on request."""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec

from edge.kept_file import remove_kept, write_kept
from edge.state_folder import state_folder
from edge.voice.enrolment import Enrolment
from edge.voice.errors import EnrolmentFileError

_LOG = logging.getLogger(__name__)


class VoiceFile:
    """Stores the voice that was enrolled on a device.

    Args:
        folder: affectd's state folder; created when needed.
        device: name of the device, which the file name contains.
    """

    def __init__(self, folder: Path, device: str) -> None:
        self.path = folder / f"voice-{device}.json"

    def read(self) -> Enrolment | None:
        """The enrolled voice, if any. A file that cannot be used is logged and ignored."""
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=Enrolment)
        except (FileNotFoundError, NotADirectoryError):
            pass
        except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            _LOG.warning("%s cannot be used (%s): no voice is enrolled", self.path, error)
        return None

    def write(self, enrolment: Enrolment) -> None:
        """Store this enrolment in place of any earlier one.

        Raises:
            EnrolmentFileError: when that fails; the earlier one stays.
        """
        try:
            write_kept(self.path, msgspec.json.encode(enrolment))
        except OSError as error:
            raise EnrolmentFileError(
                f"{self.path} cannot be written: {error.strerror}; `affectd doctor` says what to do about it"
            ) from error

    def forget(self) -> bool:
        """Remove the file; returns whether there was one.

        Raises:
            EnrolmentFileError: when it exists but cannot be removed.
        """
        try:
            # A file that a power cut left half written contains the voice as well.
            remove_kept(self.path.with_suffix(".new"))
            return remove_kept(self.path)
        except NotADirectoryError:
            return False
        except OSError as error:
            raise EnrolmentFileError(
                f"{self.path} cannot be removed: {error.strerror}; remove it by hand: sudo rm {self.path}"
            ) from error


def device_voice(device: str) -> VoiceFile:
    """The file of this machine's device."""
    return VoiceFile(state_folder(), device)
