"""The cost of each stage of the front end, beside the floor that memory traffic and arithmetic set."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.timing import significant, take_turns
from edge.frontend.mfcc import MfccConfig, mfcc
from edge.frontend.mfcc_chain import chain
from edge.frontend.mfcc_samples import SampleQueue, check_samples
from edge.frontend.tables import mel_filterbank

DOUBLE = 8
LOG_FLOPS = 20
"""Operations of one logarithm: a polynomial and a few steps to reduce its argument"""


def measure_stages(signal: NDArray[np.float32], config: MfccConfig, rounds: int) -> dict[str, Any]:
    """Microseconds of each stage for `signal`, and its floor.

    The floor is the larger of two times: the time to read and write the stage's bytes once, at the speed of a
    copy within the cache, and the time for its arithmetic (2.5 n log2 n operations for the transform, two per
    non-zero filter weight), at the speed of a large matrix product, the fastest arithmetic that numpy has.
    """
    work = chain(config)
    n_frames = config.frames_in(signal.size)
    tiles = n_frames / work.tile
    views = work.scratch.views(0, work.tile)
    queue = SampleQueue(config, work.tile)
    queue.fill(signal)
    parts = work.fourier(views)

    def samples() -> None:
        check_samples(signal)
        start = SampleQueue(config, work.tile)
        taken = 0
        while taken < signal.size:
            taken += start.fill(signal[taken:])
            start.drop(start.ready)

    def power() -> None:
        np.copyto(parts, spectrum)
        work.power(parts, views)

    work.frame(queue.frames, views)
    spectrum = work.fourier(views).copy()
    once = take_turns({"samples": samples, "whole": lambda: mfcc(signal, config)}, rounds)
    per_tile = take_turns(
        {
            "frame and window": lambda: work.frame(queue.frames, views),
            "Fourier transform": lambda: work.fourier(views),
            "power": power,
            "(copy)": lambda: np.copyto(parts, spectrum),
            "mel filters": lambda: work.mel(views),
            "logarithm": lambda: work.log(views),
            "DCT": lambda: work.cepstra(views),
        },
        rounds,
    )
    took = {name: times["median"] * 1e3 * tiles for name, times in per_tile.items()}
    took["power"] -= took.pop("(copy)")
    took = {"check, convert, queue": once["samples"]["median"] * 1e3, **took}
    whole = once["whole"]["median"] * 1e3
    took["Python, output, cold caches"] = whole - sum(took.values())
    speed = _speeds(work.tile, config.n_fft, rounds)
    floors = {
        name: n_frames * max(n_bytes / speed["bytes_per_us"], flops / speed["flops_per_us"])
        for name, (n_bytes, flops) in _work(config, signal.size / n_frames).items()
    }
    return {
        "frames": n_frames,
        "unit": "microseconds",
        "stages": {
            name: {"took": significant(us, 3), "floor": significant(floors.get(name, 0.0), 3)}
            for name, us in took.items()
        },
        "whole": {"took": significant(whole), "floor": significant(sum(floors.values()))},
        "copy_gigabytes_per_s": significant(speed["bytes_per_us"] / 1e3, 3),
        "product_gigaflops": significant(speed["flops_per_us"] / 1e3, 3),
    }


def _work(config: MfccConfig, samples_per_frame: float) -> dict[str, tuple[float, float]]:
    """Bytes read and written, and arithmetic operations, of each stage for one frame."""
    n, n_bins, length = config.n_fft, config.n_fft // 2 + 1, config.frame_length
    weights = int(np.count_nonzero(mel_filterbank(config)))
    return {
        "check, convert, queue": (samples_per_frame * (4 + DOUBLE), 2 * samples_per_frame),
        "frame and window": (2 * length * DOUBLE, length),
        "Fourier transform": ((n + 2 * n_bins) * DOUBLE, 2.5 * n * math.log2(n)),
        "power": (3 * n_bins * DOUBLE, 3 * n_bins),
        "mel filters": ((n_bins + config.n_mels) * DOUBLE, 2 * weights),
        "logarithm": (2 * config.n_mels * DOUBLE, LOG_FLOPS * config.n_mels),
        "DCT": ((config.n_mels + config.n_mfcc) * DOUBLE, 2 * config.n_mels * config.n_mfcc),
    }


def _speeds(rows: int, columns: int, rounds: int) -> dict[str, float]:
    source, target = np.ones((rows, columns)), np.ones((rows, columns))
    a, b, c = (np.ones((256, 256)) for _ in range(3))
    times = take_turns(
        {"copy": lambda: np.copyto(target, source), "product": lambda: np.matmul(a, b, out=c)}, rounds
    )
    return {
        "bytes_per_us": 2 * source.nbytes / (times["copy"]["least"] * 1e3),
        "flops_per_us": 2 * 256**3 / (times["product"]["least"] * 1e3),
    }
