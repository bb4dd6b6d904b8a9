"""Alternative ways to compute the same result, each timed beside the one that is used."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.timing import significant, take_turns
from edge.frontend.mfcc import MfccConfig
from edge.frontend.mfcc_chain import Chain, chain
from edge.frontend.mfcc_samples import SampleQueue
from edge.frontend.tables import mel_filterbank

Array = NDArray[Any]
USED = "used"


def measure_alternatives(signal: NDArray[np.float32], config: MfccConfig, rounds: int) -> dict[str, Any]:
    """Microseconds that each alternative takes for all frames of `signal`, and the error of its results."""
    work = chain(config)
    n_frames = config.frames_in(signal.size)
    queue = SampleQueue(config, work.tile)
    queue.fill(signal)
    views = work.scratch.views(0, work.tile)
    work.frame(queue.frames, views)
    scale = n_frames / work.tile
    padded = views.padded.copy()
    work.power(work.fourier(views), views)
    groups = {
        "samples to windowed frames": _framing(queue.frames, work),
        "frames to power spectrum": _transforms(padded, config.frame_length),
        "power spectrum to mel energies": _filters(views.bins.copy(), config, work),
    }
    result = {name: _compare(calls, rounds, scale) for name, calls in groups.items()}
    result["samples to MFCC, frames at a time"] = _tiles(signal, config, work.tile, rounds)
    return result


def _compare(calls: dict[str, Callable[[], Array]], rounds: int, scale: float) -> dict[str, Any]:
    """Times, and the largest difference from the alternative in use, relative to the largest value."""
    expected = next(iter(calls.values()))().astype(np.float64)
    off = {
        name: float(np.max(np.abs(call() - expected)) / np.max(np.abs(expected)))
        for name, call in calls.items()
    }
    times = take_turns(calls, rounds)
    return {
        name: {"us": significant(times[name]["median"] * 1e3 * scale, 3), "off": significant(off[name], 2)}
        for name in calls
    }


def _framing(frames: Array, work: Chain) -> dict[str, Callable[[], Array]]:
    views = work.scratch.views(0, work.tile)
    window = None if views.window is None else views.window[0, : frames.shape[1]].copy()
    out = np.zeros_like(views.padded)

    def whole_rows() -> Array:
        work.frame(frames, views)
        return views.padded

    def row_by_row() -> Array:
        np.multiply(frames, 1.0 if window is None else window, out=out[:, : frames.shape[1]])
        return out

    return {f"copy, then multiply whole rows ({USED})": whole_rows, "multiply into place": row_by_row}


def _transforms(padded: Array, length: int) -> dict[str, Callable[[], Array]]:
    rows, n = padded.shape
    n_bins = n // 2 + 1
    half = n // 2
    power = np.empty((rows, n_bins))
    power32 = np.empty((rows, n_bins), np.float32)
    single = padded.astype(np.float32)
    angles = -2j * np.pi * np.outer(np.arange(length), np.arange(n_bins)) / n
    dft = np.ascontiguousarray(np.exp(angles)).view(np.float64)
    dft32 = dft.astype(np.float32)
    twiddles = -1j * np.exp(-2j * np.pi * np.arange(half + 1) / n)
    pairs = np.empty((rows // 2, n), np.complex128)
    mirrored, mixed = (np.empty((rows // 2, n_bins), np.complex128) for _ in range(2))
    wrapped, reverse, odd = (np.empty((rows, n_bins), np.complex128) for _ in range(3))

    def squared(parts: Array, out: Array) -> Array:
        np.multiply(parts, parts, out=parts)
        return np.add(parts[:, ::2], parts[:, 1::2], out=out)

    def two_frames() -> Array:
        pairs.real, pairs.imag = padded[::2], padded[1::2]
        both = np.fft.fft(pairs)
        forward = both[:, :n_bins]
        mirrored[:, 0], mirrored[:, 1:] = both[:, 0], both[:, : half - 1 : -1]
        np.conjugate(mirrored, out=mirrored)
        squared(np.add(forward, mirrored, out=mixed).view(np.float64), power[::2])
        squared(np.subtract(forward, mirrored, out=mixed).view(np.float64), power[1::2])
        return np.multiply(power, 0.25, out=power)

    def half_length() -> Array:
        packed = np.fft.fft(padded.view(np.complex128))
        wrapped[:, :half], wrapped[:, half] = packed, packed[:, 0]
        np.conjugate(wrapped[:, ::-1], out=reverse)
        np.subtract(wrapped, reverse, out=odd)
        np.multiply(odd, twiddles, out=odd)
        np.add(wrapped, reverse, out=wrapped)
        np.add(wrapped, odd, out=wrapped)
        squared(wrapped.view(np.float64), power)
        return np.multiply(power, 0.25, out=power)

    calls: dict[str, Callable[[], Array]] = {
        f"rfft in float64 ({USED})": lambda: squared(np.fft.rfft(padded).view(np.float64), power),
        "rfft in float32": lambda: squared(
            np.fft.rfft(single).astype(np.complex64, copy=False).view(np.float32), power32
        ),
        "two real frames in one complex FFT": two_frames,
        "even and odd samples in one complex FFT of half the length": half_length,
        "real DFT as a matrix product in float64": lambda: squared(padded[:, :length] @ dft, power),
        "real DFT as a matrix product in float32": lambda: squared(single[:, :length] @ dft32, power32),
    }
    try:
        import scipy.fft  # type: ignore[import-untyped]  # noqa: PLC0415
    except ImportError:
        return calls
    calls["scipy's rfft in float32 (for scale: not numpy)"] = lambda: squared(
        scipy.fft.rfft(single).view(np.float32), power32
    )
    return calls


def _filters(power: Array, config: MfccConfig, work: Chain) -> dict[str, Callable[[], Array]]:
    views = work.scratch.views(0, work.tile)
    np.copyto(views.bins, power)
    bank = mel_filterbank(config)
    bank32, power32 = bank.astype(np.float32), power.astype(np.float32)
    out = np.empty((len(power), config.n_mels))

    def used() -> Array:
        work.mel(views)
        return views.bands[:, : config.n_mels]

    def whole_tile() -> Array:
        for bins, mels, table in work.blocks:
            np.matmul(power[:, bins], table, out=out[:, mels])
        return out

    return {
        f"blocks of filters, groups of four frames ({USED})": used,
        "blocks of filters, a whole tile of frames": whole_tile,
        "all filters in one product": lambda: np.matmul(power, bank, out=out),
        "all filters in one product, in float32": lambda: power32 @ bank32,
    }


def _tiles(signal: Array, config: MfccConfig, used: int, rounds: int) -> dict[str, Any]:
    n_frames = config.frames_in(signal.size)

    def run(work: Chain) -> Array:
        queue = SampleQueue(config, work.tile)
        out = np.empty((n_frames, config.n_mfcc), np.float32)
        taken = done = 0
        while taken < signal.size:
            taken += queue.fill(signal[taken:])
            n = queue.ready
            work.run(queue.frames, done, out[done : done + n])
            queue.drop(n)
            done += n
        return out

    calls: dict[str, Callable[[], Array]] = {}
    for tile in sorted({used, 8, 16, 32, 128, 4 * -(-n_frames // 4)}, key=lambda tile: (tile != used, tile)):
        work = Chain(config)
        work.tile = tile
        calls[f"{tile} ({USED})" if tile == used else str(tile)] = partial(run, work)
    return _compare(calls, rounds, 1.0)
