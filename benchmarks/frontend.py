"""The front end against python_speech_features, librosa and tf.signal, on one core.

python -m benchmarks.frontend                  prints a table
python -m benchmarks.frontend --json [PATH]    also writes the results, by default to benchmarks/results/
"""

from __future__ import annotations

import argparse
import datetime
import json
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from benchmarks.frontend_alternatives import measure_alternatives
from benchmarks.frontend_batch import measure_peer
from benchmarks.frontend_peers import MISSING, PEERS
from benchmarks.frontend_stages import measure_stages
from benchmarks.one_core import describe_machine, stay_on_one_core
from benchmarks.timing import Call, peak_bytes, significant, take_turns
from edge.frontend.mfcc import MfccConfig, StreamingMfcc, mfcc

ROOT = Path(__file__).resolve().parents[1]
SPEECH = ROOT / "edge" / "demo_speech.ogg"
RESULTS = ROOT / "benchmarks" / "results"
RATE = 16_000
BLOCKS_MS = (10, 32, 100, 500)
KEPT = ("ratio", "ours_ms", "theirs_ms")
METHOD = (
    "One core, one thread. Each peer is compared with ours in a process of its own, on the same array with "
    "the same settings. The two take turns; a turn is one call that fills the caches (first) and three timed "
    "calls. Times are processor time, as medians with quartiles over all turns. "
    "where_freed_memory_is_kept is the same in a process whose C library does not return freed memory to the "
    "system, which saves code with large temporaries its page faults. Peak memory is what Python and numpy "
    "allocate during one call (TensorFlow's own memory is not counted)."
)
PACKAGES = ("numpy", "scipy", "python_speech_features", "librosa", "tensorflow", "torchaudio")


def speech(seconds: float) -> NDArray[np.float32]:
    """The bundled speech, from its first word on, repeated as long as needed."""
    samples, rate = soundfile.read(SPEECH, dtype="float32")
    if rate != RATE:
        raise SystemExit(f"{SPEECH} has {rate} samples per second, not {RATE}")
    loud = int(np.argmax(np.abs(samples) > 0.05))
    return np.resize(samples[loud:], int(seconds * RATE))


def measure_batch(seconds: float, rounds: int) -> tuple[dict[str, Any], dict[str, str]]:
    """Ours against each peer that is installed, and the reasons why the others are missing."""
    rows: dict[str, Any] = {}
    missing = dict(MISSING)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "signal.npy"
        np.save(path, speech(seconds))
        for name in PEERS:
            result = measure_peer(name, path, rounds, keep_freed_memory=False)
            kept = measure_peer(name, path, rounds, keep_freed_memory=True)
            if isinstance(result, str) or isinstance(kept, str):
                missing[name] = str(result)
                continue
            rows[name] = {**result, "where_freed_memory_is_kept": {key: kept[key] for key in KEPT}}
    return rows, missing


def push_all(stream: StreamingMfcc, blocks: list[NDArray[np.float32]]) -> None:
    """Push the blocks into a stream."""
    for block in blocks:
        stream.push(block)


def measure_streaming(config: MfccConfig, rounds: int) -> dict[str, Any]:
    """Blocks of several sizes, compared with the whole signal at once."""
    signal = speech(3.0)
    calls: dict[str, Call] = {"batch": partial(mfcc, signal, config)}
    pushes = {}
    for ms in BLOCKS_MS:
        blocks = [
            signal[start : start + ms * RATE // 1_000] for start in range(0, signal.size, ms * RATE // 1_000)
        ]
        pushes[ms] = len(blocks)
        calls[str(ms)] = partial(push_all, StreamingMfcc(config), blocks)
    times = take_turns(calls, rounds)
    batch = times["batch"]["median"]
    return {
        "batch_ms_per_s": significant(batch / 3.0),
        "blocks": {
            f"{ms} ms": {
                "push_us": {
                    name: significant(times[str(ms)][name] * 1e3 / pushes[ms], 3)
                    for name in ("median", "quartile_1", "quartile_3")
                },
                "over_batch": significant(times[str(ms)]["median"] / batch, 3),
                "peak_bytes": peak_bytes(calls[str(ms)]),
            }
            for ms in BLOCKS_MS
        },
    }


def measure() -> dict[str, Any]:
    """Everything, as it goes into the JSON file."""
    config = MfccConfig()
    short, missing = measure_batch(3.0, 60)
    batch = {"3 s": short, "60 s": measure_batch(60.0, 8)[0]}
    streaming = measure_streaming(config, 60)
    return {
        "ratios": {name: row["ratio"] for name, row in short.items()},
        "ratios_where_freed_memory_is_kept": {
            name: row["where_freed_memory_is_kept"]["ratio"] for name, row in short.items()
        },
        "block_10ms_us": streaming["blocks"]["10 ms"]["push_us"]["median"],
        "streaming_over_batch": streaming["blocks"]["100 ms"]["over_batch"],
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": describe_machine(PACKAGES),
        "method": METHOD,
        "missing": missing,
        "batch": batch,
        "streaming": streaming,
        "stages": measure_stages(speech(3.0), config, 100),
        "alternatives": measure_alternatives(speech(3.0), config, 40),
    }


def show(result: dict[str, Any]) -> None:
    """Print the figures that matter."""
    machine = result["machine"]
    print(
        f"{machine['processor']}, Python {machine['python']}, NumPy {machine['packages']['numpy']}, one core"
    )
    if machine["shared"]:
        print(
            f"Other programs were running (load {machine['load_average']}): trust the ratios, not the times."
        )
    for seconds, rows in result["batch"].items():
        for name, row in rows.items():
            kept = row["where_freed_memory_is_kept"]["ratio"]
            print(f"{seconds:>5}  {name:26} {row['theirs_ms']['median']:8.2f} ms   ours "
                  f"{row['ours_ms']['median']:7.3f} ms   {row['ratio']:5.1f} x   "
                  f"({kept:.1f} x where freed memory is kept)")  # fmt: skip
    for name, why in result["missing"].items():
        print(f"       {name}: not measured ({why})")
    for size, row in result["streaming"]["blocks"].items():
        print(
            f"blocks of {size:>6}: {row['push_us']['median']:6.1f} us each, {row['over_batch']:.2f} x batch"
        )
    for name, stage in result["stages"]["stages"].items():
        print(f"{name:28} {stage['took']:7.1f} us   floor {stage['floor']:6.1f}")
    whole = result["stages"]["whole"]
    print(f"{'whole, 3 s':28} {whole['took']:7.1f} us   floor {whole['floor']:6.1f}")
    for title, rows in result["alternatives"].items():
        print(title)
        for name, row in rows.items():
            print(f"   {name:62} {row['us']:7.1f} us   off by {row['off']:.0e}")


def main() -> None:
    """Run as a program."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.frontend", description=__doc__.splitlines()[0]
    )
    series = "" if int(np.__version__.split(".")[0]) >= 2 else "-numpy-1"
    default = RESULTS / f"frontend{series}.json"
    where = f"also write the results, by default to {default.relative_to(ROOT)}"
    parser.add_argument("--json", nargs="?", const=default, type=Path, metavar="PATH", help=where)
    arguments = parser.parse_args()
    stay_on_one_core("benchmarks.frontend")
    result = measure()
    show(result)
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
