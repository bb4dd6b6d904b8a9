"""Chooses the TFLite runtime: the first that can build an interpreter for the model."""

from __future__ import annotations

import importlib
import logging
from enum import StrEnum
from typing import Any

from edge.inference.errors import RuntimeMissingError
from edge.quiet_stderr import quiet_stderr

logger = logging.getLogger(__name__)


class Runtime(StrEnum):
    """The runtimes, in the order in which they are tried."""

    AUTO = "auto"
    TFLITE_RUNTIME = "tflite-runtime"
    """On 32-bit Raspberry Pi OS, or where the extra of that name is installed; needs NumPy 1"""

    LITERT = "litert"
    TENSORFLOW = "tensorflow"


_MODULES = {
    Runtime.TFLITE_RUNTIME: "tflite_runtime.interpreter",
    Runtime.LITERT: "ai_edge_litert.interpreter",
    Runtime.TENSORFLOW: "tensorflow.lite.python.interpreter",
}


def build_interpreter(flatbuffer: bytes, runtime: Runtime, threads: int) -> tuple[Any, Runtime]:
    """An interpreter with its tensors allocated, and the runtime that it belongs to.

    A successful import proves nothing: tflite-runtime can be imported under NumPy 2, but fails when used.

    Raises:
        RuntimeMissingError: when no runtime, or not the requested one, can build an interpreter.
    """
    failures = []
    for candidate in _MODULES if runtime is Runtime.AUTO else [runtime]:
        try:
            # C++ code reports its delegate, and NumPy 2 a module built for NumPy 1, directly on stderr.
            with quiet_stderr(candidate):
                module = importlib.import_module(_MODULES[candidate])
                interpreter = module.Interpreter(model_content=flatbuffer, num_threads=threads)
                interpreter.allocate_tensors()
        except ImportError as error:
            failures.append(f"{candidate} is not installed ({error})")
        except (RuntimeError, ValueError, SystemError, AttributeError) as error:
            failures.append(f"{candidate} cannot build the model ({error})")
            logger.warning("%s", failures[-1])
        else:
            logger.info("model runs in %s with %d thread(s)", candidate, threads)
            return interpreter, candidate
    raise RuntimeMissingError(
        "no TFLite runtime can run the model: " + "; ".join(failures) + ". Install ai-edge-litert "
        "(64-bit), or tflite-runtime (32-bit, NumPy below 2)"
    )
