"""Estimates the load that affectd would put on each board, from counted instructions: no board is at hand.

    python -m benchmarks.board_load [--sysroot FOLDER]

Makes an arm64 folder if there is none (tools/arm64_sysroot.sh), and runs the stages of `affectd bench` in it
under qemu-aarch64, once for each kind of core, with a plugin that counts every instruction. Writes
benchmarks/results/board_load.json and the table in docs/boards.md. Run it again when the shipped model has
changed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.boards.page import fill_page
from edge.audio.files import read_file
from edge.frontend.vad import GateSettings
from edge.inference.model import SHIPPED_MODEL
from edge.inference.model_file import read_model_file

ROOT = Path(__file__).resolve().parents[1]
RESULT = ROOT / "benchmarks" / "results" / "board_load.json"
FOLDER = ROOT / "build" / "arm64"
SPEECH = ROOT / "edge" / "demo_speech.ogg"

CORES = {
    "cortex-a53": {"part": "0xd03", "features": "fp asimd evtstrm crc32 cpuid"},
    "cortex-a72": {"part": "0xd08", "features": "fp asimd evtstrm crc32 cpuid"},
    "cortex-a76": {"part": "0xd0b", "features": "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp "
                   "asimdhp cpuid asimdrdm lrcpc dcpop asimddp"},
}  # fmt: skip
"""The cores that QEMU emulates, and what Linux reports about them: XNNPACK chooses its kernels by both"""

BOARDS = {
    "Raspberry Pi Zero 2 W": ("cortex-a53", 1.0),
    "Raspberry Pi 3B+": ("cortex-a53", 1.4),
    "Raspberry Pi 4": ("cortex-a72", 1.5),
    "Raspberry Pi 5": ("cortex-a76", 2.4),
}
"""Kind of core, and clock in GHz as Raspberry Pi Ltd states it; later Pi 4s run at 1.8"""

STAGES = ("quiet", "speech", "front_end", "inference")


def main() -> int:
    """Count, write the result, fill the page; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sysroot", type=Path, default=FOLDER, help="arm64 folder (default: %(default)s)")
    args = parser.parse_args()
    for program in ("qemu-aarch64", "gcc"):
        if shutil.which(program) is None:
            print(f"{program} is missing: apt-get install qemu-user gcc", file=sys.stderr)
            return 69
    if not (args.sysroot / "complete").is_file():
        script = ROOT / "tools" / "arm64_sysroot.sh"
        subprocess.run([script, args.sysroot], check=True, env={**os.environ, "PYTHON": sys.executable})
    with tempfile.TemporaryDirectory() as scratch:
        counted = {core: count(core, args.sysroot, Path(scratch)) for core in CORES}
    RESULT.write_text(json.dumps(result(counted), indent=1) + "\n", encoding="utf-8")
    fill_page(json.loads(RESULT.read_text(encoding="utf-8")))
    print(f"{RESULT.relative_to(ROOT)} and docs/boards.md are written")
    return 0


def count(core: str, sysroot: Path, scratch: Path) -> dict[str, float | int | str]:
    """Instructions of each stage on one kind of core."""
    print(f"counting on an emulated {core} …", flush=True)
    speech, plugin = scratch / "speech.npy", scratch / "count.so"
    np.save(speech, read_file(SPEECH))
    source = ROOT / "benchmarks" / "boards" / "count_instructions.c"
    subprocess.run(["gcc", "-O2", "-std=c99", "-shared", "-fPIC", "-o", plugin, source], check=True)
    pretend_to_be(core, sysroot)
    # One thread, because the counter is not atomic.
    settings = {"OPENBLAS_NUM_THREADS": "1", "PYTHONHOME": sysroot / "usr",
                "PYTHONPATH": f"{sysroot / 'site'}:{ROOT}"}  # fmt: skip
    done = subprocess.run(
        ["qemu-aarch64", "-plugin", plugin, "-cpu", core, "-L", sysroot,
         *(part for name, value in settings.items() for part in ("-E", f"{name}={value}")),
         sysroot / "usr/bin/python3.11", ROOT / "benchmarks/boards/stages.py", speech, SHIPPED_MODEL],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    marks = [int(line.split()[2]) for line in done.stderr.splitlines() if line.startswith("MARK ")]
    if done.returncode or len(marks) != len(STAGES) + 1:
        sys.exit(f"the emulated {core} failed ({done.returncode}):\n{done.stderr[-2000:]}")
    seconds, turns, inferences, runtime = done.stdout.split()
    spans = dict(zip(STAGES, np.diff(marks).tolist(), strict=True))
    return {
        "seconds": float(seconds),
        "turns": int(turns),
        "inferences": int(inferences),
        "runtime": runtime,
        "front_end_per_s": spans["front_end"] / float(seconds),
        "gate_per_s": spans["quiet"] / float(seconds),
        "speech_per_s": (spans["speech"] - spans["quiet"]) / float(seconds),
        "one_inference": spans["inference"],
    }


def pretend_to_be(core: str, sysroot: Path) -> None:
    """Make /proc and /sys of the folder describe the core: qemu-user would show those of this machine."""
    about = CORES[core]
    (sysroot / "proc").mkdir(exist_ok=True)
    (sysroot / "proc/cpuinfo").write_text(
        f"processor\t: 0\nBogoMIPS\t: 38.40\nFeatures\t: {about['features']}\nCPU implementer\t: 0x41\n"
        f"CPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: {about['part']}\nCPU revision\t: 4\n\n",
        encoding="ascii",
    )
    system = sysroot / "sys/devices/system/cpu"
    system.mkdir(parents=True, exist_ok=True)
    for name in ("possible", "present", "online", "kernel_max"):
        (system / name).write_text("0\n", encoding="ascii")


def result(counted: dict[str, dict[str, float | int | str]]) -> dict[str, object]:
    """The content of the JSON file."""
    card, _ = read_model_file(SHIPPED_MODEL)
    version = subprocess.run(["qemu-aarch64", "--version"], capture_output=True, text=True, check=True)
    return {
        "label": "estimate: instructions counted under emulation, not time measured on a board",
        "command": "python -m benchmarks.board_load",
        "model": card.name,
        "model_sha256": card.flatbuffer_sha256,
        "voice_activity": GateSettings().detector.value,
        "qemu": version.stdout.splitlines()[0],
        "instructions": counted,
        "boards": {name: {"core": core, "clock_ghz": clock} for name, (core, clock) in BOARDS.items()},
    }


if __name__ == "__main__":
    sys.exit(main())
