"""One inference of the shipped model against a network of LIGHT-SERNET's size and shape, on one core.

python -m benchmarks.inference                           prints a table, measured in LiteRT
python -m benchmarks.inference --tflite-runtime PYTHON   also measures in the tflite-runtime of that Python
python -m benchmarks.inference --json [PATH]             also writes JSON, by default to benchmarks/results/

Needs TensorFlow, to make the peer; the timing itself runs in processes without it.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.one_core import describe_machine
from benchmarks.timing import significant

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
SHIPPED = ROOT / "edge" / "models" / "affectd.tflite"
PACKAGES = ("numpy", "ai-edge-litert", "tflite-runtime", "tensorflow", "keras")
METHOD = (
    "One core, one thread, int8, one window. Both models are in one process and take turns: a turn is one "
    "call that fills the caches and three timed calls. A call sets the input and invokes the interpreter. "
    "Times are processor time, as medians with quartiles. The peer has LIGHT-SERNET's size and shape, "
    "written from the description of Aftab et al., 2022, with the shipped model's input and labels; its "
    "weights are untrained, which does not change the cost of an inference."
)


def make_peer(path: Path) -> dict[str, Any]:
    """Write the peer as a plain int8 flatbuffer; returns its size."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

    import keras  # noqa: PLC0415  # takes seconds: not for --help
    import numpy as np  # noqa: PLC0415

    from converter.operators import multiply_accumulates  # noqa: PLC0415
    from converter.quantize import quantize  # noqa: PLC0415
    from edge.inference.model_file import read_model_file  # noqa: PLC0415
    from training.networks import build_network  # noqa: PLC0415
    from training.recipe import NetworkSettings  # noqa: PLC0415

    card, _ = read_model_file(SHIPPED)
    keras.utils.set_random_seed(0)
    shape = (card.n_frames, card.mfcc_config.n_features)
    network = build_network(NetworkSettings(shape="light_sernet"), *shape, len(card.labels))
    windows = np.random.default_rng(0).standard_normal((32, *shape)).astype(np.float32)
    flatbuffer = quantize(network, windows)
    path.write_bytes(flatbuffer)
    return {
        "parameters": int(network.count_params()),
        "macs": multiply_accumulates(flatbuffer),
        "file_bytes": path.stat().st_size,
        "weights": "untrained",
    }


def measure_in(python: str, runtime: str, peer: Path, rounds: int) -> dict[str, Any] | str:
    """The figures that a process with the runtime reports, or the reason why there are none."""
    command = [python, "-m", "benchmarks.inference_turns", runtime, str(SHIPPED), str(peer), str(rounds)]
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    environment = {**os.environ, **single, "PYTHONPATH": str(ROOT)}
    try:
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        lines = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        return lines[-1] if lines else str(error)
    found: dict[str, Any] = json.loads(done.stdout)
    found["ratio"] = significant(found["light_sernet_ms"]["median"] / found["shipped_ms"]["median"], 3)
    return found


def measure(tflite_python: str | None, rounds: int) -> dict[str, Any]:
    """Everything, as it goes into the JSON file."""
    from edge.inference.model_file import read_model_file  # noqa: PLC0415

    card, _ = read_model_file(SHIPPED)
    pythons = {"litert": sys.executable, "tflite-runtime": tflite_python}
    runtimes: dict[str, Any] = {}
    missing: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        peer = Path(folder) / "light_sernet.tflite"
        size = make_peer(peer)
        for runtime, python in pythons.items():
            found = (
                measure_in(python, runtime, peer, rounds) if python else "give its Python: --tflite-runtime"
            )
            if isinstance(found, str):
                missing[runtime] = found
            else:
                runtimes[runtime] = found
    return {
        "ratios": {runtime: found["ratio"] for runtime, found in runtimes.items()},
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": describe_machine(PACKAGES),
        "method": METHOD,
        "missing": missing,
        "shipped": {
            "name": card.name,
            "flatbuffer_sha256": card.flatbuffer_sha256,
            "file_bytes": SHIPPED.stat().st_size,
            "window_frames": card.n_frames,
        },
        "light_sernet": size,
        "runtimes": runtimes,
    }


def show(result: dict[str, Any]) -> None:
    """Print the figures that matter."""
    for runtime, row in result["runtimes"].items():
        ours, theirs = row["shipped_ms"]["median"], row["light_sernet_ms"]["median"]
        times = f"shipped {ours:7.3f} ms   LIGHT-SERNET's shape {theirs:7.3f} ms"
        print(f"{runtime:15} {row['version']:8} {times}   {row['ratio']:5.2f} x")
    for runtime, why in result["missing"].items():
        print(f"{runtime:15} not measured ({why})")
    if result["machine"]["shared"]:
        load = result["machine"]["load_average"]
        print(f"Other programs were running (load {load}): trust the ratios, not the times.")


def main() -> None:
    """Run as a program."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.inference", description=__doc__.splitlines()[0]
    )
    default = RESULTS / "inference.json"
    where = f"also write the results, by default to {default.relative_to(ROOT)}"
    parser.add_argument("--json", nargs="?", const=default, type=Path, metavar="PATH", help=where)
    parser.add_argument(
        "--tflite-runtime",
        metavar="PYTHON",
        help="a Python with tflite-runtime, NumPy 1 and this project's base install",
    )
    parser.add_argument("--rounds", type=int, default=60, help="turns of each model (default: 60)")
    arguments = parser.parse_args()
    result = measure(arguments.tflite_runtime, arguments.rounds)
    show(result)
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
