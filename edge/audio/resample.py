"""Converts any rate and any number of channels to 16 kHz mono in one pass, without aliasing."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edge.audio.block import SAMPLE_RATE, Block, Frames
from edge.audio.errors import AudioFormatError, AudioSettingsError
from edge.audio.settings import MAX_RATE, MIN_RATE, Channel


class Resampler:
    """Converts a stream of frames into a stream of blocks.

    The joined blocks are the same, bit for bit, however the frames were split. At 16 kHz the samples pass
    unchanged and without delay; at other rates the filter holds back about 40 ms (48 kHz, 44.1 kHz) until the
    next frames come, or `flush` says that there are none. Samples beyond [-1, 1], which floating-point files
    may hold and any sharp filter produces, are clipped.

    Args:
        rate: Hertz of the frames.
        channels: Channels in each frame.
        channel: Which of them to keep, or "mix" for their mean.

    Raises:
        AudioFormatError: when the rate is outside the supported range.
        AudioSettingsError: when there is no such channel.
    """

    def __init__(self, rate: int, channels: int, channel: Channel = "mix") -> None:
        if not MIN_RATE <= rate <= MAX_RATE:
            raise AudioFormatError(
                f"the sound claims {rate} Hz; rates from {MIN_RATE} to {MAX_RATE} Hz are supported"
            )
        if channel != "mix" and not 0 <= channel < channels:
            raise AudioSettingsError(
                f"there is no channel {channel}: the sound has {channels}, counted from 0; "
                f'choose 0 to {channels - 1} or "mix"'
            )
        self.rate = rate
        self.channels = channels
        self._channel = channel
        self._stream = None
        if rate != SAMPLE_RATE:
            import soxr  # noqa: PLC0415  # a microphone at 16 kHz never needs it

            self._stream = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32", quality="HQ")

    def push(self, frames: Frames) -> Block:
        """The sound that is ready once `frames` have come; may be empty."""
        mono = self._to_mono(frames)
        if self._stream is None:
            return _clip(mono)
        return _clip(self._stream.resample_chunk(mono))

    def flush(self) -> Block:
        """What the filter still holds, once the sound has ended. Nothing may be pushed afterwards."""
        nothing = np.zeros(0, dtype=np.float32)
        if self._stream is None:
            return nothing
        return _clip(self._stream.resample_chunk(nothing, last=True))

    def _to_mono(self, frames: Frames) -> npt.NDArray[np.float32]:
        if self._channel != "mix":
            return np.ascontiguousarray(frames[:, self._channel])
        if self.channels == 1:
            return np.ascontiguousarray(frames[:, 0])
        mix: npt.NDArray[np.float32] = frames.mean(axis=1, dtype=np.float32)
        return mix


def _clip(samples: npt.NDArray[np.float32]) -> Block:
    return np.clip(samples, np.float32(-1.0), np.float32(1.0))
