"""Reads sound files of any rate and any number of channels, piece by piece or at once."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from edge.audio.block import Block, Frames
from edge.audio.errors import (
    AudioFileAccessError,
    AudioFormatError,
    DamagedAudioError,
    EmptyAudioError,
    NonFiniteAudioError,
)
from edge.audio.resample import Resampler
from edge.audio.settings import Channel
from edge.audio.wav_header import is_wav, parse_wav_header

_log = logging.getLogger(__name__)

Content = bytes | bytearray
"""A file's bytes"""

SHORTFALL_S = 0.1
"""Seconds by which a file may be shorter than its header says: an encoder's padding"""

_HEADER_BYTES = 64 * 1024
_CONVERT = "convert it first: ffmpeg -i INPUT OUTPUT.wav"
_RESTORE = "restore it from its source, or cut it to what is left: ffmpeg -i INPUT OUTPUT.wav"


class SoundFile:
    """A sound file that is being read.

    Args:
        path: WAV, FLAC, Ogg, MP3 or whatever else libsndfile reads; the file extension does not matter.
        content: the file's bytes, if it is in memory; `path` is then only its name in messages.

    Raises:
        AudioFileAccessError: no such file, a directory, or no permission to read it.
        AudioFormatError: the file is not sound that libsndfile can read.
        EmptyAudioError: the file holds no samples.
        DamagedAudioError: the file is shorter than its header says, or the header is invalid.
    """

    def __init__(self, path: str | os.PathLike[str], content: Content | None = None) -> None:
        import soundfile  # noqa: PLC0415  # a microphone never needs it

        self._path = Path(path)
        self._library = soundfile
        self._frames_read = 0
        descriptor = _open(self._path) if content is None else _in_memory(content)
        try:
            with _access_errors(self._path):
                head = os.pread(descriptor, _HEADER_BYTES, 0)
            self._check_head(head, os.fstat(descriptor).st_size)
            self._file: Any = self._decoder(descriptor)
            self._length_is_exact = self._file.format != "MP3" or b"Xing" in head or b"Info" in head
        finally:
            os.close(descriptor)
        self.rate: int = self._file.samplerate
        self.channels: int = self._file.channels
        if not self._length_is_exact:
            _log.warning(
                "%s has no length header; libsndfile estimates its length and may cut off its end; %s",
                self._path,
                _CONVERT,
            )

    def read(self, n_frames: int) -> Frames:
        """The next frames, shape (n, channels) with n <= n_frames; n is 0 at the end.

        Raises:
            DamagedAudioError: the file cannot be decoded, or ends before its header says.
            EmptyAudioError: the file ended without a sample.
            NonFiniteAudioError: a sample is NaN or infinite.
        """
        try:
            frames: Frames = self._file.read(n_frames, dtype="float32", always_2d=True)
        except self._library.SoundFileError as error:
            raise DamagedAudioError(
                f"{self._path} cannot be decoded after {self._seconds(self._frames_read)} s "
                f"({_reason(error)}); {_RESTORE}"
            ) from None
        if not len(frames):
            self._check_end()
        bad = np.flatnonzero(~np.isfinite(frames).all(axis=1))
        if bad.size:
            raise NonFiniteAudioError(
                f"{self._path} holds a sample that is NaN or infinite at "
                f"{self._seconds(self._frames_read + int(bad[0]))} s; fix what wrote it, or {_CONVERT}"
            )
        self._frames_read += len(frames)
        return frames

    def close(self) -> None:
        """Closes the file; a second call does nothing."""
        if not self._file.closed:
            self._file.close()

    def __enter__(self) -> SoundFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _decoder(self, descriptor: int) -> Any:
        try:
            # By descriptor: by name, libsndfile would trust the file extension. By a duplicate: whether it
            # closes the descriptor of a file that it cannot read differs between its versions.
            return self._library.SoundFile(os.dup(descriptor), closefd=True)
        except (self._library.SoundFileError, TypeError) as error:
            raise AudioFormatError(
                f"{self._path} is no sound that libsndfile can read ({_reason(error)}); {_CONVERT}"
            ) from None

    def _check_head(self, head: bytes, n_bytes: int) -> None:
        """Checks the header of a WAV, because libsndfile silently accepts a truncated file."""
        if not head:
            raise EmptyAudioError(f"{self._path} is empty (0 bytes); record or copy it again")
        if not is_wav(head):
            return
        try:
            header = parse_wav_header(head)
        except AudioFormatError:
            return  # libsndfile reads encodings, such as mu-law, that our parser for streams does not
        except DamagedAudioError as error:
            raise DamagedAudioError(f"{self._path}: {error}") from None
        if header is None or header.data_size is None:
            return
        frame_bytes = header.channels * header.encoding.n_bytes
        missing = (header.data_offset + header.data_size - n_bytes) // frame_bytes
        if missing > SHORTFALL_S * header.rate:
            whole = header.data_size // frame_bytes
            raise DamagedAudioError(
                f"{self._path} is truncated: it holds {(whole - missing) / header.rate:.2f} of the "
                f"{whole / header.rate:.2f} s that its header says; {_RESTORE}"
            )

    def _check_end(self) -> None:
        if not self._frames_read:
            raise EmptyAudioError(f"{self._path} holds no samples; record or copy it again")
        if self._length_is_exact and self._file.frames - self._frames_read > SHORTFALL_S * self.rate:
            raise DamagedAudioError(
                f"{self._path} is truncated: it holds {self._seconds(self._frames_read)} of the "
                f"{self._seconds(self._file.frames)} s that its header says; {_RESTORE}"
            )

    def _seconds(self, n_frames: int) -> str:
        return f"{n_frames / self.rate:.2f}"


def read_file(path: str | os.PathLike[str], channel: Channel = "mix") -> Block:
    """A whole sound file as one block: float32 mono at 16 kHz, equal to the same file streamed.

    Args:
        path: Any file that libsndfile reads, at any rate and with any number of channels.
        channel: Which channel to keep, or "mix" for the mean of all.

    Raises:
        AudioFileAccessError: no such file, a directory, or no permission to read it.
        AudioFormatError: the file is not sound that libsndfile can read.
        EmptyAudioError: the file holds no samples.
        DamagedAudioError: the file is truncated or cannot be decoded.
        NonFiniteAudioError: a sample is NaN or infinite.
        AudioSettingsError: the file has no such channel.
    """
    with SoundFile(path) as file:
        resampler = Resampler(file.rate, file.channels, channel)
        pieces = []
        while len(frames := file.read(file.rate)):
            pieces.append(resampler.push(frames))
        pieces.append(resampler.flush())
    return np.concatenate(pieces)


def _open(path: Path) -> int:
    with _access_errors(path):
        _refuse_pipe(path)
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)


def _in_memory(content: Content) -> int:
    """A descriptor of an in-memory file with this content, so that all checks can read it like a file."""
    descriptor = os.memfd_create("sound", os.MFD_CLOEXEC)
    try:
        with os.fdopen(descriptor, "wb", closefd=False) as file:
            file.write(content)
        os.lseek(descriptor, 0, os.SEEK_SET)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _refuse_pipe(path: Path) -> None:
    """Raises for a named pipe, which would block at opening until somebody writes."""
    if stat.S_ISFIFO(path.stat().st_mode):
        raise AudioFileAccessError(f"{path} is a pipe; read it through the stdin source: < {path}")


@contextmanager
def _access_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise AudioFileAccessError(f"{path} does not exist; check the path") from None
    except IsADirectoryError:
        raise AudioFileAccessError(f"{path} is a directory; name a sound file in it") from None
    except PermissionError:
        raise AudioFileAccessError(f"no permission to read {path}; change its owner or mode") from None
    except (OSError, ValueError) as error:
        raise AudioFileAccessError(f"{path} cannot be read ({error}); check the path") from None


def _reason(error: Exception) -> str:
    text: str = getattr(error, "error_string", "") or str(error)
    return text.strip().rstrip(".")
