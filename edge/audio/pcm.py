"""Decodes the bytes of a pipe into blocks: raw PCM, or WAV if they begin with its header."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import numpy as np

from edge.audio.block import Block, Frames
from edge.audio.errors import AudioFormatError, DamagedAudioError, EmptyAudioError, NonFiniteAudioError
from edge.audio.resample import Resampler
from edge.audio.settings import Channel
from edge.audio.wav_header import RIFF_PREFIX, Encoding, find_wav, is_wav, parse_wav_header

_log = logging.getLogger(__name__)

_OTHER_FORMATS = {
    b"fLaC": "FLAC",
    b"OggS": "Ogg",
    b"ID3": "MP3",
    b"FORM": "AIFF",
    b"RIFX": "big-endian WAV",
    b"\x1aE\xdf\xa3": "Matroska or WebM",
}
"""First bytes of formats that may be piped in by mistake; read as PCM, they would be noise"""

_TEXT_BYTES = 32
"""This many printable bytes at the beginning are a message, not samples"""

_TRAILER_BYTES = 256 * 1024
"""More than this after the samples of a WAV is sound that is not heard, not a title and a picture"""


def decode_samples(data: bytes, encoding: Encoding) -> Block:
    """Interleaved samples as float32 in [-1, 1); shape (n,). `data` holds whole samples."""
    match encoding:
        case Encoding.U8:
            return (np.frombuffer(data, np.uint8).astype(np.float32) - 128.0) / np.float32(128.0)
        case Encoding.S16:
            return np.frombuffer(data, "<i2").astype(np.float32) / np.float32(2**15)
        case Encoding.S24:
            wide = np.zeros((len(data) // 3, 4), dtype=np.uint8)
            wide[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
            return wide.view("<i4")[:, 0].astype(np.float32) / np.float32(2**31)
        case Encoding.S32:
            return np.frombuffer(data, "<i4").astype(np.float32) / np.float32(2**31)
        case Encoding.F32:
            return np.frombuffer(data, "<f4").astype(np.float32)
        case Encoding.F64:
            return np.frombuffer(data, "<f8").astype(np.float32)


class PcmStream:
    """Bytes in, blocks out. The first bytes decide between WAV and raw 16-bit little-endian PCM.

    Another WAV may follow the samples of the first, for example if a program records minute by minute.

    Args:
        origin: Where the bytes come from, for messages.
        rate: Hertz of raw PCM.
        channels: Interleaved channels of raw PCM.
        channel: Which channel to keep, or "mix".
        block_ms: Milliseconds of sound to ask for at a time.
    """

    def __init__(self, origin: str, *, rate: int, channels: int, channel: Channel, block_ms: int) -> None:
        self._origin = origin
        self._channel = channel
        self._block_ms = block_ms
        self._rate = rate
        self._channels = channels
        self._encoding = Encoding.S16
        self._pending = b""
        self._data_left: int | None = None
        self._resampler: Resampler | None = None
        self._got_samples = False
        self._behind: int | None = None
        """Bytes received after the samples of a WAV; None before its end"""

    @property
    def block_bytes(self) -> int:
        """Bytes in one block, as far as the format is known yet."""
        frames = max(1, self._rate * self._block_ms // 1000)
        return frames * self._channels * self._encoding.n_bytes

    def to_ask_for(self, unhurried: bool) -> tuple[int, float]:
        """The most bytes to read at once, and for how many seconds to let them gather.

        One block without waiting; or, if unhurried, about two blocks, without ever falling behind the writer.
        """
        if unhurried:
            return 3 * self.block_bytes, 1.5e-3 * self._block_ms
        return self.block_bytes, 0.0

    def push(self, data: bytes) -> Iterator[Block]:
        """The blocks that are ready once `data` has come.

        Raises:
            AudioFormatError: when the bytes are in an unsupported format.
            DamagedAudioError: when the WAV header is invalid.
            NonFiniteAudioError: when a sample of a float WAV is NaN or infinite.
            AudioSettingsError: when the sound has no such channel.
        """
        data = self._pending + data
        self._pending = b""
        while data:
            if self._behind is not None:
                data = self._next_wav(data)
            if self._resampler is None:
                start = self._find_start(data)
                if start is None:
                    self._pending = data
                    return
                data = data[start:]
            left = len(data) if self._data_left is None else self._data_left
            yield from self._decode(data[:left])
            data = data[left:]
            if data:
                yield from self._end_wav()

    def _end_wav(self) -> Iterator[Block]:
        yield from self._flush()
        self._resampler, self._data_left, self._pending, self._behind = None, None, b"", 0

    def _next_wav(self, data: bytes) -> bytes:
        """The data from the start of another WAV on, or else the last bytes, which may begin one."""
        start = find_wav(data)
        skipped = max(0, len(data) - RIFF_PREFIX + 1) if start is None else start
        before = self._behind or 0
        self._behind = None if start is not None else before + skipped
        if before <= _TRAILER_BYTES < before + skipped:
            _log.warning(
                "%s continues after the end that its WAV header states, and that part is not heard; write "
                "raw PCM, or a header that leaves the length open",
                self._origin,
            )
        return data[skipped:]

    def finish(self) -> Iterator[Block]:
        """The last block, once the bytes have ended. An incomplete frame at the end is dropped.

        Raises:
            EmptyAudioError: when no sample ever came.
            DamagedAudioError: when the bytes ended inside a WAV header.
        """
        if self._resampler is None and self._behind is None and not self._got_samples:
            if is_wav(self._pending):
                raise DamagedAudioError(f"{self._origin} ended inside its WAV header; check what writes it")
            self._refuse_text(self._pending)
            self._start(self._rate, self._channels, Encoding.S16)
            yield from self._decode(self._pending)
        yield from self._flush()
        if not self._got_samples:
            raise EmptyAudioError(f"{self._origin} ended without any sound; check what writes it")

    def _flush(self) -> Iterator[Block]:
        tail = np.empty(0, np.float32) if self._resampler is None else self._resampler.flush()
        if tail.size:
            yield tail

    def _find_start(self, data: bytes) -> int | None:
        """Index of the first sample, or None if more bytes are needed to tell."""
        if len(data) < RIFF_PREFIX:
            return None
        if is_wav(data):
            header = parse_wav_header(data)
            if header is None:
                return None
            self._start(header.rate, header.channels, header.encoding)
            self._data_left = header.data_size
            return header.data_offset
        for magic, name in _OTHER_FORMATS.items():
            if data.startswith(magic):
                raise AudioFormatError(
                    f"{self._origin} is {name}, not raw PCM or WAV; decode it in the pipe: "
                    "ffmpeg -i INPUT -f wav -"
                )
        if len(data) < _TEXT_BYTES and _is_text(data):
            return None
        self._refuse_text(data[:_TEXT_BYTES])
        self._start(self._rate, self._channels, Encoding.S16)
        return 0

    def _refuse_text(self, data: bytes) -> None:
        if data and _is_text(data):
            raise AudioFormatError(
                f"{self._origin} is text, not sound: {data.decode('ascii')!r}; run the program that writes "
                "it on its own"
            )

    def _start(self, rate: int, channels: int, encoding: Encoding) -> None:
        self._rate, self._channels, self._encoding = rate, channels, encoding
        self._resampler = Resampler(rate, channels, self._channel)

    def _decode(self, data: bytes) -> Iterator[Block]:
        width = self._channels * self._encoding.n_bytes
        whole = len(data) // width * width
        self._pending = data[whole:]
        if self._data_left is not None:
            self._data_left -= whole
        if not whole or self._resampler is None:
            return
        self._got_samples = True
        frames: Frames = decode_samples(data[:whole], self._encoding).reshape(-1, self._channels)
        if self._encoding in {Encoding.F32, Encoding.F64} and not np.isfinite(frames).all():
            raise NonFiniteAudioError(
                f"{self._origin} holds samples that are NaN or infinite; check what writes it"
            )
        block = self._resampler.push(frames)
        if block.size:
            yield block


def _is_text(data: bytes) -> bool:
    return all(32 <= byte < 127 or byte in b"\t\r\n" for byte in data)
