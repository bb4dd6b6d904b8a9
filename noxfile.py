"""The checks of the project: `make test` runs lint, edge and training, `nox -l` lists all sessions.

A session whose Python is not installed on this machine is skipped, with a line that says so.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.sessions = ["lint", "edge", "training"]
nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_venv = "yes"
nox.options.error_on_missing_interpreters = False
nox.options.error_on_external_run = True
nox.options.download_python = "never"  # test only with interpreters that are installed here

ROOT = Path(__file__).resolve().parent
PYTHONS = ("3.11", "3.13")

WORKBENCH_TESTS = ("training", "converter", "corpora")
"""Folders of tests/ that need the training environment; all others belong to the device."""

ONCE_TESTS = ("packaging", "firmware_configs", "web")
"""Folders of tests/ whose result does not depend on the runtime: run in the first edge environment only."""

RUNTIME_FREE_TESTS = ("mqtt", "config")
"""Folders of tests/ about messages and settings, whose result depends on the Python, not on the runtime."""

DESCRIBE = """
import importlib.metadata as m, platform
names = ("numpy", "ai-edge-litert", "tflite-runtime", "tensorflow")
have = {d.metadata["Name"].lower(): d.version for d in m.distributions()}
print("Python", platform.python_version(), *(f"| {n} {have[n]}" for n in names if n in have))
"""


def _runs_as(python: str, wanted: str) -> bool:
    """Whether this program starts and is the wanted version of Python.

    Being on PATH proves little: pyenv puts a shim there for every version, and most of them do not start.
    """
    try:
        out = subprocess.run(
            [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except OSError:
        return False
    return out.returncode == 0 and out.stdout.strip() == wanted


def _patch_number(folder: Path) -> int:
    digits = folder.name.split(".")[2]
    return int(digits) if digits.isdigit() else -1


def _offer_pyenv_pythons() -> None:
    """Put pyenv's interpreters on PATH, each only where PATH has no working one of that version."""
    versions = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    for wanted in PYTHONS:
        name = f"python{wanted}"
        on_path = shutil.which(name)
        if on_path and _runs_as(on_path, wanted):
            continue
        for folder in sorted(versions.glob(f"{wanted}.*"), key=_patch_number, reverse=True):
            if _runs_as(str(folder / "bin" / name), wanted):
                os.environ["PATH"] = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
                break


_offer_pyenv_pythons()


def _install(session: nox.Session, *packages: str, without: str | None = None) -> None:
    """Install, unless this environment already holds the same packages from the same metadata."""
    recipe = [session.name, *packages, str(without)]
    recipe += [(ROOT / name).read_text(encoding="utf-8") for name in ("setup.py", "edge/__init__.py")]
    digest = hashlib.sha256("\0".join(recipe).encode()).hexdigest()
    stamp = Path(session.virtualenv.location) / "affectd-installed"
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != digest:
        stamp.unlink(missing_ok=True)
        session.install(*packages)
        if without:
            session.run("python", "-m", "pip", "uninstall", "--quiet", "--yes", without)
        stamp.write_text(digest, encoding="utf-8")
    wanted = session.python
    if isinstance(wanted, str) and not _runs_as(str(Path(session.bin) / "python"), wanted):
        session.error(f"this environment is not Python {wanted}; remove {session.virtualenv.location}")
    session.run("python", "-c", DESCRIBE, log=False)


def _at_a_time(processes: int) -> tuple[str, ...]:
    """Options for so many test processes. A file's tests stay together, as they share servers."""
    return (f"--numprocesses={processes}", "--dist=loadfile")


def _pytest(session: nox.Session, *arguments: str) -> None:
    session.run("python", "-m", "pytest", *arguments, *session.posargs)


def _existing(names: tuple[str, ...]) -> list[str]:
    return [f"tests/{name}" for name in names if (ROOT / "tests" / name).is_dir()]


def _with_microphone(session: nox.Session, extras: str) -> str:
    """The extras, and `mic` where PyAudio can be built."""
    if shutil.which("gcc") and any(
        Path(root, "portaudio.h").is_file() for root in ("/usr/include", "/usr/local/include")
    ):
        return f"{extras},mic"
    session.warn("no gcc or no portaudio.h: testing without PyAudio")
    return extras


@nox.session(python="3.11")
def lint(session: nox.Session) -> None:
    """Style, formatting, types."""
    # mypy reads the types of rich, matplotlib, and the packages of [broker] and [web].
    _install(session, "--editable", ".[dev,broker,web]", "rich", "matplotlib")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")


@nox.session
@nox.parametrize(
    ("python", "runtime"),
    [("3.11", "litert"), ("3.11", "tflite-runtime"), ("3.13", "litert")],
    ids=["3.11-litert", "3.11-tflite-runtime", "3.13-litert"],
)
def edge(session: nox.Session, runtime: str) -> None:
    """The device code, the system tests, packaging and board files."""
    first = session.python == "3.11" and runtime == "litert"
    extras = _with_microphone(session, "test,broker,web" if first else "test,broker")
    if runtime == "litert":
        _install(session, "--editable", f".[{extras}]")
    else:
        _install(session, "--editable", f".[{extras},tflite-runtime]", without="ai-edge-litert")
    left_out = [*WORKBENCH_TESTS]
    if not first:
        left_out += ONCE_TESTS
    if runtime != "litert":
        left_out += RUNTIME_FREE_TESTS
    # Most tests wait for a server or a child process, so there are more of them than cores.
    _pytest(session, *_at_a_time(3), "tests", *(f"--ignore=tests/{name}" for name in left_out))


@nox.session(python="3.13")
def home_assistant(session: nox.Session) -> None:
    """Checks the discovery message with Home Assistant's own code; on request only: it installs 500 MB."""
    # affectd itself is not installed: Home Assistant needs paho-mqtt 1.6, and the message needs no paho.
    packages = ("msgspec", "pytest", "pytest-timeout", "hypothesis")
    _install(session, "homeassistant==2025.1.4", "paho-mqtt==1.6.1", *packages)
    session.env["PYTHONPATH"] = str(ROOT)
    _pytest(session, "tests/home_assistant")


@nox.session(python=False)
def asyncapi(session: nox.Session) -> None:
    """Checks docs/mqtt/asyncapi.json with AsyncAPI's own parser; on request only: needs Node.js and npm."""
    folder = str(ROOT / ".nox" / "asyncapi-parser")
    session.run(
        "npm", "install", "--no-audit", "--no-fund", "--prefix", folder, "@asyncapi/parser@3", external=True
    )
    session.run("node", "tools/check_asyncapi.mjs", folder, "docs/mqtt/asyncapi.json", external=True)


@nox.session(python="3.11")
def endurance(session: nox.Session) -> None:
    """Kills, restarts and fuzzing by the hundred; on request only, as it takes half an hour."""
    _install(session, "--editable", ".[test,broker]")
    _pytest(session, "tests", "-m", "endurance")


@nox.session(python="3.11")
def training(session: nox.Session) -> None:
    """Training with TensorFlow, the front end against librosa, the model in TensorFlow Lite Micro."""
    folders = _existing((*WORKBENCH_TESTS, "frontend", "microcontroller"))
    if not folders:
        session.skip("no tests for the training environment yet")
    _install(session, "--editable", ".[test,training,parity,broker]")
    session.env["TF_CPP_MIN_LOG_LEVEL"] = "2"
    _pytest(session, *_at_a_time(2), *folders)
