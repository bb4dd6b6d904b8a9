"""Parses the header of a WAV stream from its first bytes as they arrive."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from enum import StrEnum

from edge.audio.errors import AudioFormatError, DamagedAudioError

RIFF_PREFIX = 12
"""Bytes needed to tell whether a stream is WAV"""

_BEGINNING = re.compile(rb"(?:RIFF|RF64|BW64)....WAVE", re.DOTALL)

UNKNOWN_SIZES_FROM = 0x7FFF_0000
"""Data sizes from here on are what recorders write to a pipe when the length is unknown: sox 0x7ffff000,
arecord 0x80000000, ffmpeg 0xffffffff. GStreamer writes 0."""

MAX_HEADER = 16 * 1024 * 1024
"""Maximum of bytes before the data chunk; more than any cover picture"""

_FORMAT_PCM, _FORMAT_FLOAT, _FORMAT_EXTENSIBLE = 1, 3, 0xFFFE
_REMEDY = "convert it first: sox INPUT -t wav -e signed -b 16 -"


class Encoding(StrEnum):
    """The encoding of a sample; little endian."""

    U8 = "u8"
    S16 = "s16"
    S24 = "s24"
    S32 = "s32"
    F32 = "f32"
    F64 = "f64"

    @property
    def n_bytes(self) -> int:
        """Bytes of one sample."""
        return int(self.value[1:]) // 8


_ENCODINGS = {
    (_FORMAT_PCM, 8): Encoding.U8,
    (_FORMAT_PCM, 16): Encoding.S16,
    (_FORMAT_PCM, 24): Encoding.S24,
    (_FORMAT_PCM, 32): Encoding.S32,
    (_FORMAT_FLOAT, 32): Encoding.F32,
    (_FORMAT_FLOAT, 64): Encoding.F64,
}


@dataclass(frozen=True, slots=True)
class WavHeader:
    """The format and size in the header of a WAV stream."""

    rate: int
    """Sample rate in hertz"""

    channels: int

    encoding: Encoding

    data_offset: int
    """Bytes before the first sample"""

    data_size: int | None
    """Bytes of sound; None if the writer did not know: up to the end of the stream"""


def is_wav(prefix: bytes) -> bool:
    """Whether a stream is WAV, given at least its first 12 bytes."""
    return _BEGINNING.match(prefix) is not None


def find_wav(data: bytes) -> int | None:
    """Index at which a WAV begins in these bytes; None if none does, or more bytes are needed to tell."""
    match = _BEGINNING.search(data)
    return None if match is None else match.start()


def parse_wav_header(prefix: bytes) -> WavHeader | None:
    """The header at the start of `prefix`, or None when more bytes are needed to see all of it.

    Chunks other than the format and the data are skipped.

    Raises:
        AudioFormatError: when the encoding of the samples is not supported.
        DamagedAudioError: when the header is invalid.
    """
    form: tuple[int, int, Encoding] | None = None
    position = RIFF_PREFIX
    while len(prefix) >= position + 8:
        name, size = struct.unpack_from("<4sI", prefix, position)
        position += 8
        if name == b"data":
            if form is None:
                raise DamagedAudioError(f"the WAV header has no fmt chunk before its data; {_REMEDY}")
            unknown = size == 0 or size >= UNKNOWN_SIZES_FROM
            return WavHeader(*form, data_offset=position, data_size=None if unknown else size)
        if name == b"fmt ":
            if len(prefix) < position + size and size < 1024:
                return None
            form = _parse_format(prefix[position : position + size])
        position += size + size % 2
        if position > MAX_HEADER:
            raise DamagedAudioError(f"the WAV header has no data within {MAX_HEADER} bytes; {_REMEDY}")
    return None


def _parse_format(chunk: bytes) -> tuple[int, int, Encoding]:
    if len(chunk) < 16:
        raise DamagedAudioError(f"the fmt chunk of the WAV header has {len(chunk)} bytes, not 16; {_REMEDY}")
    tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if tag == _FORMAT_EXTENSIBLE and len(chunk) >= 26:
        (tag,) = struct.unpack_from("<H", chunk, 24)
    encoding = _ENCODINGS.get((tag, bits))
    if encoding is None:
        raise AudioFormatError(
            f"the WAV stream holds format 0x{tag:04x} with {bits} bits, not PCM or float; {_REMEDY}"
        )
    if channels == 0:
        raise DamagedAudioError(f"the WAV header says 0 channels; {_REMEDY}")
    return rate, channels, encoding
