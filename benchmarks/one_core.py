"""Pins a measurement to one core and one thread, and describes the machine on which it ran."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from pathlib import Path

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def stay_on_one_core(module: str) -> None:
    """Pin this process to its last core; restart `module` first if libraries could use more threads.

    The libraries read these variables when they are loaded, which has happened by now.
    """
    if any(os.environ.get(name) != "1" for name in _THREADS):
        os.environ.update(dict.fromkeys(_THREADS, "1"), TF_CPP_MIN_LOG_LEVEL="2", CUDA_VISIBLE_DEVICES="-1")
        os.execv(sys.executable, [sys.executable, "-m", module, *sys.argv[1:]])  # noqa: S606
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def describe_machine(packages: tuple[str, ...]) -> dict[str, object]:
    """Processor, load, and the versions of Python and of the packages that are installed."""
    versions: dict[str, str | None] = {}
    for name in packages:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = None
    load = os.getloadavg()[0]
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "cores_used": 1,
        "load_average": round(load, 1),
        "shared": load > 0.5,
        "python": platform.python_version(),
        "packages": versions,
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith(("model name", "Model")):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
