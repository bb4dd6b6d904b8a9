"""The operating system, Python, and the packages that affectd depends on."""

from __future__ import annotations

import importlib
import importlib.metadata
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

from edge.config import Config
from edge.doctor.report import Finding, Stage, Verdict

_PACKAGES = {"numpy": "numpy", "msgspec": "msgspec", "paho-mqtt": "paho.mqtt.client", "soxr": "soxr",
             "soundfile": "soundfile"}  # fmt: skip
"""Distributions of the base install, except for the runtime, and the module to import from each"""


def examine(_config: Config) -> Iterator[Finding]:
    """Check the system, then import each package: a wheel for another machine fails only then."""
    yield _system()
    for distribution, module in _PACKAGES.items():
        yield _package(distribution, module)


def _system() -> Finding:
    bits = 64 if sys.maxsize > 2**32 else 32
    text = (
        f"{_os_name()}, {platform.machine()}, {bits}-bit, Linux {platform.release()}, "
        f"Python {platform.python_version()}"
    )
    if sys.platform != "linux":
        return Finding(
            stage=Stage.SYSTEM,
            verdict=Verdict.WARN,
            message=text.replace("Linux ", f"{platform.system()} "),
            remedy="affectd is made for Linux; the rest of this report shows how far it gets here",
        )
    if bits == 32:
        return Finding(
            stage=Stage.SYSTEM,
            verdict=Verdict.WARN,
            message=text,
            remedy="a 64-bit system runs the model several times faster, if the board supports one",
        )
    return Finding(stage=Stage.SYSTEM, verdict=Verdict.OK, message=text)


def _os_name(release: Path = Path("/etc/os-release")) -> str:
    try:
        lines = release.read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.platform()
    values = dict(line.split("=", 1) for line in lines if "=" in line)
    return values.get("PRETTY_NAME", "an unnamed system").strip('"')


def _package(distribution: str, module: str) -> Finding:
    try:
        importlib.import_module(module)
        version = importlib.metadata.version(distribution)
    except (ImportError, OSError, importlib.metadata.PackageNotFoundError) as error:
        # OSError: a shared library that the package loads is missing.
        return Finding(
            stage=Stage.SYSTEM,
            verdict=Verdict.FAIL,
            message=f"{distribution} does not load: {error}",
            remedy=f"{sys.executable} -m pip install --force-reinstall {distribution}",
        )
    return Finding(stage=Stage.SYSTEM, verdict=Verdict.OK, message=f"{distribution} {version}")
