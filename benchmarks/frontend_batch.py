"""Times one peer beside our front end, in a process that has done nothing else.

What a process has allocated before affects how the C library allocates large arrays from then on, and so what
numpy code with large temporaries costs: after an import of TensorFlow, python_speech_features takes half the
time. Therefore each peer has its own process, which is started twice: with the system's settings, and with
the C library told to keep freed memory.

    python -m benchmarks.frontend_batch PEER SIGNAL.npy ROUNDS      prints JSON
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.frontend_peers import PEERS
from benchmarks.timing import peak_bytes, significant, take_turns
from edge.frontend.mfcc import mfcc

KEEP = {"MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(1 << 30)}
NOT_INSTALLED = 3


def measure_peer(name: str, signal: Path, rounds: int, *, keep_freed_memory: bool) -> dict[str, Any] | str:
    """The result of a separate process, or the reason why there is none."""
    environment = {**os.environ, **(KEEP if keep_freed_memory else {})}
    command = [sys.executable, "-m", "benchmarks.frontend_batch", name, str(signal), str(rounds)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode == NOT_INSTALLED:
        return done.stderr.strip().splitlines()[-1]
    if done.returncode:
        raise SystemExit(done.stderr)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def compare(name: str, path: Path, rounds: int) -> dict[str, Any]:
    """Ours and the peer's, taking turns on the same array with the same settings.

    Whether the two compute the same is only checked roughly, by the median difference at the start: librosa
    clips at 80 dB below the loudest frame of the signal, and float32 peers are off in silence. tests/frontend
    compares value by value.
    """
    peer = PEERS[name]()
    signal = np.load(path).astype(peer.dtype)
    start = signal[:48_000]
    ours, theirs = mfcc(start, peer.config), peer.compute(start)
    if not np.median(np.abs(ours - theirs[: len(ours)])) <= 1e-3:
        raise SystemExit(f"{name} computes other values: the times cannot be compared")
    calls = {"theirs": partial(peer.compute, signal), "ours": partial(mfcc, signal, peer.config)}
    times = take_turns(calls, rounds)
    return {
        "call": peer.call,
        "sample_type": np.dtype(peer.dtype).name,
        "ratio": significant(times["theirs"]["median"] / times["ours"]["median"], 3),
        "ratio_of_first_calls": significant(times["theirs"]["first"] / times["ours"]["first"], 3),
        "ours_ms": times["ours"],
        "theirs_ms": times["theirs"],
        "ours_peak_bytes": peak_bytes(calls["ours"]),
        "theirs_peak_bytes": peak_bytes(calls["theirs"]),
    }


if __name__ == "__main__":
    try:
        print(json.dumps(compare(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))))
    except ImportError as error:
        print(error, file=sys.stderr)
        sys.exit(NOT_INSTALLED)
