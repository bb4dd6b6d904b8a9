"""MFCC, offline and streaming, with the same values to the last bit.

>>> import numpy as np
>>> from edge.frontend.mfcc import MfccConfig, StreamingMfcc, mfcc
>>> config = MfccConfig()
>>> signal = np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000).astype(np.float32)
>>> mfcc(signal, config).shape
(98, 40)
>>> stream = StreamingMfcc(config)
>>> parts = [stream.push(block) for block in np.array_split(signal, 7)]
>>> bool(np.array_equal(np.concatenate([*parts, stream.flush()]), mfcc(signal, config)))
True
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.frontend.deltas import StreamingDeltas
from edge.frontend.mfcc_chain import GROUP, chain
from edge.frontend.mfcc_config import FrontendConfigError, MfccConfig
from edge.frontend.mfcc_samples import SampleQueue, SignalError, check_samples
from edge.frontend.pitch import StreamingPitch

__all__ = ["FrontendConfigError", "MfccConfig", "SignalError", "StreamingMfcc", "log_mel", "mfcc"]

Frames = NDArray[np.floating[Any]]


def mfcc(signal: NDArray[Any], config: MfccConfig, dtype: type[np.floating[Any]] = np.float32) -> Frames:
    """MFCC of a whole signal.

    Args:
        signal: shape (n,); float in [-1, 1], or int16, which is scaled by 1/32768.
        config: the settings.
        dtype: of the result; the arithmetic is float64 throughout.

    Returns:
        Shape (config.frames_in(n), config.n_features). Samples after the last whole frame are left out.
        Never NaN or infinite: energies are raised to `config.log_floor`.

    Raises:
        SignalError: when the samples are not valid sound.
        FrontendConfigError: when a mel filter covers no bin.
    """
    stream = StreamingMfcc(config, dtype)
    head = stream.push(signal)
    tail = stream.flush()
    return np.concatenate([head, tail]) if len(tail) else head


def log_mel(signal: NDArray[Any], config: MfccConfig, dtype: type[np.floating[Any]] = np.float32) -> Frames:
    """Logarithmic mel energies of a whole signal: `mfcc` before its DCT, shape (frames_in(n), n_mels).

    Raises:
        SignalError: when the samples are not valid sound.
        FrontendConfigError: when a mel filter covers no bin.
    """
    return StreamingMfcc(config, dtype).push_log_mel(signal)


class StreamingMfcc:
    """MFCC of a signal that comes in blocks of any size; the frames equal those of `mfcc` bit for bit.

    Its state consists of the samples that the next frame still needs, the last sample for the pre-emphasis,
    the number of the next frame, the frames held back for the deltas, and the state of the pitch. A stream
    belongs to one thread at a time; streams in several threads do not disturb each other.
    """

    def __init__(self, config: MfccConfig, dtype: type[np.floating[Any]] = np.float32) -> None:
        """Raises FrontendConfigError when a mel filter covers no bin."""
        self.config = config
        self._dtype = dtype
        self._chain = chain(config)
        self._queue = SampleQueue(config, self._chain.tile)
        self._deltas = StreamingDeltas(config.delta_orders, config.delta_width, config.n_mfcc)
        self._pitch = StreamingPitch(config) if config.pitch else None
        self._next = 0

    def reset(self) -> None:
        """Forget everything heard, as if newly created."""
        self._queue.reset()
        self._deltas.reset()
        if self._pitch:
            self._pitch.reset()
        self._next = 0

    def push(self, block: NDArray[Any]) -> Frames:
        """Take the next samples and return the frames that they complete, shape (m, n_features), m >= 0.

        With deltas, a frame comes `config.lookahead` frames late.

        Raises:
            SignalError: when the samples are not valid sound; the stream is then as it was before the call.
        """
        frames = self._advance(block)
        if self._pitch:
            return np.hstack([frames, self._pitch.push(block).astype(self._dtype)])
        if not self.config.delta_orders:
            return frames
        return self._deltas.push(frames).astype(self._dtype)

    def push_log_mel(self, block: NDArray[Any]) -> Frames:
        """Take the next samples and return the logarithmic mel energies of their frames, shape (m, n_mels).

        Use it instead of `push`: one stream gives either coefficients or log mel energies.

        Raises:
            SignalError: when the samples are not valid sound.
        """
        return self._advance(block, cepstra=False)

    def flush(self) -> Frames:
        """End the signal: return the frames held back for the deltas, and reset.

        After the end the last frame counts as repeated, just as the first one does before the start.
        """
        held = self._deltas.flush()
        if self._pitch:
            held = np.empty((0, self.config.n_features))
        self.reset()
        return held.astype(self._dtype)

    def _advance(self, block: NDArray[Any], *, cepstra: bool = True) -> Frames:
        check_samples(block)
        queue = self._queue
        width = self.config.n_mfcc if cepstra else self.config.n_mels
        # Deltas are differences between neighbouring frames, so they are computed before rounding.
        dtype = np.float64 if cepstra and self.config.delta_orders else self._dtype
        out: Frames = np.empty((queue.ready_after(block.size), width), dtype)
        taken = done = 0
        while taken < block.size:
            taken += queue.fill(block[taken:])
            n = queue.ready
            if n:
                self._chain.run(queue.frames, self._next, out[done : done + n], cepstra=cepstra)
                queue.drop(n)
                self._next = (self._next + n) % GROUP
                done += n
        return out
