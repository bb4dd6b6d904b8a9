"""The process that times two int8 models in one runtime; started by `benchmarks.inference`.

python -m benchmarks.inference_turns RUNTIME SHIPPED PEER ROUNDS     prints JSON
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.timing import take_turns
from edge.inference.model_file import read_model_file
from edge.inference.runtime import Runtime, build_interpreter

PACKAGE = {"litert": "ai-edge-litert", "tflite-runtime": "tflite-runtime"}


def inference(flatbuffer: bytes, runtime: str) -> Callable[[], None]:
    """One inference on a fixed window of noise."""
    interpreter, _ = build_interpreter(flatbuffer, Runtime(runtime), threads=1)
    given = interpreter.get_input_details()[0]
    window = np.random.default_rng(0).integers(-128, 128, given["shape"], np.int8)

    def call() -> None:
        interpreter.set_tensor(given["index"], window)
        interpreter.invoke()

    return call


def main() -> None:
    """Run as a program."""
    runtime, shipped, peer, rounds = sys.argv[1:]
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    _, flatbuffer = read_model_file(Path(shipped))
    times = take_turns(
        {
            "shipped_ms": inference(flatbuffer, runtime),
            "light_sernet_ms": inference(Path(peer).read_bytes(), runtime),
        },
        int(rounds),
    )
    version = importlib.metadata.version(PACKAGE[runtime])
    print(json.dumps({"version": version, "numpy": np.__version__, **times}))


if __name__ == "__main__":
    main()
