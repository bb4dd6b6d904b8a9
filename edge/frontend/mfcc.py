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

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.frontend.deltas import StreamingDeltas
from edge.frontend.mfcc_config import FrontendConfigError, Log, MfccConfig, Spectrum
from edge.frontend.tables import analysis_window, dct_matrix, mel_filterbank

__all__ = ["FrontendConfigError", "MfccConfig", "SignalError", "StreamingMfcc", "log_mel", "mfcc"]

Frames = NDArray[np.floating[Any]]
Samples = NDArray[np.floating[Any]]

_TILE = 32
"""Frames worked on at a time: their spectra stay in a small core's level-2 cache."""

_LIMIT = 2.0**32
"""Samples at or above this are not sound in any usual scaling, and their squares would not stay exact."""


class SignalError(ValueError):
    """Raised when samples are not sound: wrong type or shape, NaN, infinite."""


def mfcc(signal: NDArray[Any], config: MfccConfig, dtype: type[np.floating[Any]] = np.float32) -> Frames:
    """MFCC of a whole signal.

    Args:
        signal: shape (n,); float in [-1, 1], or int16, which counts as 1/32768 each.
        config: the settings.
        dtype: of the result; the arithmetic is float64 throughout.

    Returns:
        Shape (config.frames_in(n), config.n_features). Samples behind the last whole frame are left out.
        Never NaN or infinite: energies are raised to `config.log_floor`.

    Raises:
        SignalError: when the samples are not sound.
        FrontendConfigError: when a mel filter covers no bin.
    """
    stream = StreamingMfcc(config, dtype)
    head = stream.push(signal)
    tail = stream.flush()
    return np.concatenate([head, tail]) if len(tail) else head


def log_mel(signal: NDArray[Any], config: MfccConfig, dtype: type[np.floating[Any]] = np.float32) -> Frames:
    """Logarithmic mel energies of a whole signal: `mfcc` before its DCT, shape (frames_in(n), n_mels).

    Raises:
        SignalError: when the samples are not sound.
        FrontendConfigError: when a mel filter covers no bin.
    """
    samples = _as_float(signal)
    padded = np.concatenate([np.zeros(config.lead), _preemphasised(samples, 0.0, config)])
    return _chain(config).frames(padded, config.frames_in(samples.size), cepstra=False).astype(dtype)


class StreamingMfcc:
    """MFCC of a signal that comes in blocks of any size; the frames equal those of `mfcc`.

    Its state is the samples that the next frame still needs, the last sample for the pre-emphasis and the
    frames that the deltas wait for.
    """

    def __init__(self, config: MfccConfig, dtype: type[np.floating[Any]] = np.float32) -> None:
        """Raises FrontendConfigError when a mel filter covers no bin."""
        self.config = config
        self._dtype = dtype
        self._chain = _chain(config)
        self._deltas = StreamingDeltas(config.delta_orders, config.delta_width, config.n_mfcc)
        self.reset()

    def reset(self) -> None:
        """Forget everything heard, as if newly made."""
        self._rest: Samples = np.zeros(self.config.lead)
        self._last = 0.0
        self._deltas.reset()

    def push(self, block: NDArray[Any]) -> Frames:
        """Take the next samples and give the frames that they complete, shape (m, n_features), m >= 0.

        With deltas, a frame comes `config.lookahead` frames late.

        Raises:
            SignalError: when the samples are not sound; the stream is then as it was before the call.
        """
        samples = _as_float(block)
        if samples.size == 0:
            return np.empty((0, self.config.n_features), self._dtype)
        shaped = _preemphasised(samples, self._last, self.config)
        self._last = float(samples[-1])
        waiting = np.concatenate([self._rest, shaped]) if self._rest.size else shaped
        length, hop = self.config.frame_length, self.config.hop_length
        n = max(0, 1 + (waiting.size - length) // hop)
        self._rest = waiting[n * hop :].copy()
        return self._deltas.push(self._chain.frames(waiting, n)).astype(self._dtype)

    def flush(self) -> Frames:
        """End the signal: give the frames that the deltas held back, and reset.

        Behind the end the last frame counts as repeated, as it does before the first one.
        """
        held = self._deltas.flush()
        self.reset()
        return held.astype(self._dtype)


class _Chain:
    """The arithmetic from samples to coefficients, with its tables; without any state of a stream."""

    def __init__(self, config: MfccConfig) -> None:
        self._config = config
        self._window = analysis_window(config)
        bank = mel_filterbank(config)
        covered = np.flatnonzero(bank.any(axis=1))
        self._bins = slice(int(covered[0]), int(covered[-1]) + 1)
        scale = 1.0 / config.n_fft if config.spectrum is Spectrum.PERIODOGRAM else 1.0
        self._energy_scale = scale
        self._bank = np.ascontiguousarray(bank[self._bins] * scale)
        self._dct = dct_matrix(config)
        if config.log is Log.DECIBEL:
            self._dct *= 10.0 / np.log(10.0)

    def frames(self, samples: Samples, n: int, cepstra: bool = True) -> Frames:
        """The first `n` frames of `samples` as float64 coefficients (or log mel energies), (n, width)."""
        config = self._config
        width = config.n_mfcc if cepstra else config.n_mels
        out = np.empty((n, width))
        if n == 0:
            return out
        step = samples.strides[0]
        framed = np.lib.stride_tricks.as_strided(
            samples, (n, config.frame_length), (step * config.hop_length, step), writeable=False
        )
        for start in range(0, n, _TILE):
            tile = slice(start, min(start + _TILE, n))
            self._tile(framed[tile], out[tile], cepstra)
        return out

    def _tile(self, framed: Samples, out: Frames, cepstra: bool) -> None:
        config = self._config
        spectrum = np.fft.rfft(framed * self._window, config.n_fft)
        parts = spectrum.view(np.float64)
        if config.energy and cepstra:
            used = slice(None)
        else:
            used = self._bins
            parts = parts[:, 2 * used.start : 2 * used.stop]
        np.multiply(parts, parts, out=parts)
        bins = parts[:, ::2] + parts[:, 1::2]
        if config.spectrum is Spectrum.MAGNITUDE:
            np.sqrt(bins, out=bins)
        mel = _matmul(bins[:, self._bins] if config.energy and cepstra else bins, self._bank)
        if config.log_offset:
            mel += config.log_offset
        np.maximum(mel, config.log_floor, out=mel)
        np.log(mel, out=mel)
        if not cepstra:
            out[:] = mel if config.log is Log.NATURAL else mel * (10.0 / np.log(10.0))
            return
        out[:] = _matmul(mel, self._dct)
        if config.energy:
            energy = bins.sum(axis=1) * self._energy_scale
            out[:, 0] = np.log(np.maximum(energy, config.log_floor))


def _matmul(rows: Frames, table: Frames) -> Frames:
    """`rows @ table`, where a lone row takes the same way through BLAS as one among many.

    A product of one row goes to another routine (gemv), which adds up in another order.
    """
    if len(rows) > 1:
        return rows @ table
    return (np.concatenate([rows, rows]) @ table)[:1]


@functools.lru_cache(maxsize=16)
def _chain(config: MfccConfig) -> _Chain:
    return _Chain(config)


def _as_float(block: NDArray[Any]) -> Samples:
    """The block as float64 samples, checked.

    Raises:
        SignalError: when it is not one-dimensional, neither float nor int16, or not finite.
    """
    if not isinstance(block, np.ndarray):
        raise SignalError(f"samples must be a numpy array, not {type(block).__name__}")
    if block.ndim != 1:
        raise SignalError(f"samples must have one dimension (mono), not shape {block.shape}")
    if block.dtype == np.int16:
        return block * (1.0 / 32_768.0)
    if block.dtype.kind != "f":
        raise SignalError(f"samples must be floats in [-1, 1] or int16, not {block.dtype}")
    samples = block.astype(np.float64)
    # The sum of squares is the cheapest question that NaN, infinity and absurd sizes all fail.
    if not float(samples @ samples) < _LIMIT and not np.all(np.abs(samples) < _LIMIT):
        bad = int(np.flatnonzero(~(np.abs(samples) < _LIMIT))[0])
        raise SignalError(f"sample {bad} is {samples[bad]}: sound must be finite, float in [-1, 1]")
    return samples


def _preemphasised(samples: Samples, last: float, config: MfccConfig) -> Samples:
    a = config.preemphasis
    if not a:
        return samples
    shaped = samples.copy()
    shaped[1:] -= a * samples[:-1]
    shaped[:1] -= a * last
    return shaped
