"""From the bytes of a pipe to blocks: raw PCM, or WAV when the bytes say so."""

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
"""First bytes of what people pipe by mistake; played as PCM it would be noise, and scored as sound"""

_TEXT_BYTES = 32
"""So many printable bytes at the beginning are a message, not samples"""

_TRAILER_BYTES = 256 * 1024
"""More than this behind the samples of a WAV is sound that is not heard, not its title and picture"""


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

    Behind the samples of a WAV another may follow, as where a program records minute by minute.

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
        """Bytes that have come behind the samples of a WAV; None before its end"""

    @property
    def block_bytes(self) -> int:
        """Bytes that hold one block, as far as the format is known yet."""
        frames = max(1, self._rate * self._block_ms // 1000)
        return frames * self._channels * self._encoding.n_bytes

    def to_ask_for(self, unhurried: bool) -> tuple[int, float]:
        """How many bytes to read at most, and for how many seconds to let them gather.

        One block at once; or about two, read at a pace that lets no sound pile up however the writes fall.
        """
        if unhurried:
            return 3 * self.block_bytes, 1.5e-3 * self._block_ms
        return self.block_bytes, 0.0

    def push(self, data: bytes) -> Iterator[Block]:
        """The blocks that are ready once `data` has come.

        Raises:
            AudioFormatError: when the bytes are in a format that is not understood.
            DamagedAudioError: when the WAV header makes no sense.
            NonFiniteAudioError: when a sample of a float WAV is not a number.
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
        """What begins with another WAV, or the last bytes, with which one may begin."""
        start = find_wav(data)
        skipped = max(0, len(data) - RIFF_PREFIX + 1) if start is None else start
        before = self._behind or 0
        self._behind = None if start is not None else before + skipped
        if before <= _TRAILER_BYTES < before + skipped:
            _log.warning(
                "%s goes on behind the end that its WAV header tells, and that is not heard; write raw PCM, "
                "or a header that leaves the length open",
                self._origin,
            )
        return data[skipped:]

    def finish(self) -> Iterator[Block]:
        """The last block, once the bytes have ended. Half a frame at the end is dropped.

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
        """Index of the first sample, or None when it takes more bytes to tell."""
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
                    f"{self._origin} is {name}, not raw PCM or WAV; decode it on the way: "
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
                f"{self._origin} is text, not sound: {data.decode('ascii')!r}; run what writes it by itself"
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
                f"{self._origin} holds samples that are no finite number; check what writes it"
            )
        block = self._resampler.push(frames)
        if block.size:
            yield block


def _is_text(data: bytes) -> bool:
    return all(32 <= byte < 127 or byte in b"\t\r\n" for byte in data)
