"""Timing of contenders that take turns, so that other load on the machine affects all of them alike."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Mapping

import numpy as np

Call = Callable[[], object]


def take_turns(contenders: Mapping[str, Call], rounds: int, calls: int = 3) -> dict[str, dict[str, float]]:
    """Milliseconds of processor time that each contender takes: median, quartiles, least, first.

    A turn is one call that fills the caches again, followed by `calls` timed ones; `first` is the median time
    of the calls that fill the caches.
    """
    times: dict[str, list[float]] = {name: [] for name in contenders}
    firsts: dict[str, list[float]] = {name: [] for name in contenders}
    for call in contenders.values():
        call()
    for _ in range(rounds):
        for name, call in contenders.items():
            firsts[name].append(_milliseconds(call))
            times[name] += [_milliseconds(call) for _ in range(calls)]
    return {
        name: {**spread(times[name]), "first": significant(np.median(firsts[name]))} for name in contenders
    }


def _milliseconds(call: Call) -> float:
    # Processor time, so that what other programs take of the core in between is not counted.
    start = time.process_time_ns()
    call()
    return (time.process_time_ns() - start) / 1e6


def spread(times: list[float]) -> dict[str, float]:
    """Median, quartiles and minimum of some times."""
    low, median, high = np.percentile(times, [25, 50, 75])
    return {
        "median": significant(median),
        "quartile_1": significant(low),
        "quartile_3": significant(high),
        "least": significant(min(times)),
        "n": len(times),
    }


def significant(value: float, digits: int = 4) -> float:
    """Round a value to a number of significant digits."""
    return float(f"{value:.{digits}g}")


def peak_bytes(call: Call) -> int:
    """Peak of the additional memory that a call holds, as far as Python and numpy allocate it."""
    call()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        call()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
