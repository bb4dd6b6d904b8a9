"""What can go wrong with sound: every failure says what, where and what to do about it."""

from __future__ import annotations

from edge.errors import AffectdError


class AudioError(AffectdError):
    """Base of every failure in this room. `exit_code` follows sysexits(3)."""

    exit_code = 69


class AudioSettingsError(AudioError, ValueError):
    """Raised when settings contradict each other or the sound: no path, no such channel."""

    exit_code = 64


class AudioFileAccessError(AudioError):
    """Raised when a file does not exist, is a directory or may not be read."""

    exit_code = 66


class AudioFormatError(AudioError):
    """Raised when the bytes are no sound, or sound in a form that is not understood."""

    exit_code = 65


class EmptyAudioError(AudioError):
    """Raised when a file or stream ends without a single sample."""

    exit_code = 65


class DamagedAudioError(AudioError):
    """Raised when sound breaks off before its own header says, or cannot be decoded."""

    exit_code = 65


class NonFiniteAudioError(AudioError):
    """Raised when a sample is not a number or infinite."""

    exit_code = 65


class StdinUnavailableError(AudioError):
    """Raised when standard input is closed or a terminal instead of a pipe."""

    exit_code = 64


class CommandNotFoundError(AudioError):
    """Raised when the program of a command source does not exist or may not be run."""

    exit_code = 69


class CommandFailedError(AudioError):
    """Raised when the program of a command source ends with an error; carries its last words."""

    exit_code = 69


class PyAudioMissingError(AudioError):
    """Raised when PyAudio, or the PortAudio library under it, is not installed."""

    exit_code = 69


class NoInputDeviceError(AudioError):
    """Raised when the machine has no input device at all."""

    exit_code = 69


class UnknownDeviceError(AudioError):
    """Raised when no input device has the name that was asked for; lists those present."""

    exit_code = 66


class AmbiguousDeviceError(AudioError):
    """Raised when several input devices fit the name that was asked for; lists them."""

    exit_code = 64


class DeviceOpenError(AudioError):
    """Raised when an input device is present and will not open: busy, or no common format."""

    exit_code = 69


class DeviceStalledError(AudioError):
    """Raised when an open input device delivers nothing any more: unplugged, or its driver hangs."""

    exit_code = 69


class CommandStalledError(AudioError):
    """Raised when the program of a command source runs and writes nothing: its device is gone, it hangs."""

    exit_code = 69


class SourceLostError(AudioError):
    """Raised when a source that worked could not be opened again in time."""

    exit_code = 69
