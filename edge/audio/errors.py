"""Errors of the sound sources; each message says what is wrong, where, and what to do about it."""

from __future__ import annotations

from edge.errors import AffectdError


class AudioError(AffectdError):
    """Base class of all errors in this package. `exit_code` follows sysexits(3)."""

    exit_code = 69


class AudioSettingsError(AudioError, ValueError):
    """Raised when settings contradict each other or do not fit the sound: no path, no such channel."""

    exit_code = 64


class AudioFileAccessError(AudioError):
    """Raised when a file does not exist, is a directory or may not be read."""

    exit_code = 66


class AudioFormatError(AudioError):
    """Raised when the bytes are not sound, or sound in an unsupported format."""

    exit_code = 65


class EmptyAudioError(AudioError):
    """Raised when a file or stream ends without a single sample."""

    exit_code = 65


class DamagedAudioError(AudioError):
    """Raised when sound ends before its header says, or cannot be decoded."""

    exit_code = 65


class NonFiniteAudioError(AudioError):
    """Raised when a sample is NaN or infinite."""

    exit_code = 65


class StdinUnavailableError(AudioError):
    """Raised when standard input is closed, or is a terminal instead of a pipe."""

    exit_code = 64


class CommandNotFoundError(AudioError):
    """Raised when the program of a command source does not exist or may not be run."""

    exit_code = 69


class CommandFailedError(AudioError):
    """Raised when the program of a command source ends with an error; includes its last output."""

    exit_code = 69


class PyAudioMissingError(AudioError):
    """Raised when PyAudio, or the PortAudio library under it, is not installed."""

    exit_code = 69


class NoInputDeviceError(AudioError):
    """Raised when the machine has no input device at all."""

    exit_code = 69


class UnknownDeviceError(AudioError):
    """Raised when no input device has the requested name; lists those present."""

    exit_code = 66


class AmbiguousDeviceError(AudioError):
    """Raised when several input devices match the requested name; lists them."""

    exit_code = 64


class DeviceOpenError(AudioError):
    """Raised when an input device is present but does not open: busy, or no common format."""

    exit_code = 69


class DeviceHungError(AudioError):
    """Raised when a driver never finishes opening its device; only a new process can try again."""

    exit_code = 69


class DeviceStalledError(AudioError):
    """Raised when an open input device no longer delivers anything: unplugged, or its driver hangs."""

    exit_code = 69


class CommandStalledError(AudioError):
    """Raised when the program of a command source runs but writes nothing: device gone, or hung."""

    exit_code = 69


class SourceLostError(AudioError):
    """Raised when a source that worked could not be opened again in time."""

    exit_code = 69
