"""The board: its temperature, its power, its governor, its memory."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from edge.config import Config
from edge.doctor.report import Finding, Stage, Verdict
from edge.throttling import throttled_bits

_WARM_C, _HOT_C = 70.0, 80.0
"""A Raspberry Pi throttles itself from 80 degrees Celsius; a 3B+ slightly from 60"""

_ASK_S = 5.0
_LITTLE_MB = 80

_TROUBLES = {0: "undervoltage", 1: "frequency capped", 2: "throttled", 3: "temperature limit reached"}
"""Bits of `throttled_bits` for the present; the bits 16 higher are for the time since boot"""

_POWER = "use the power supply made for this board, and a short cable"
_COOLING = "give the board more air or a heat sink, or raise window_hop_s in [model]"


def examine(_config: Config, root: Path = Path("/")) -> Iterator[Finding]:
    """Check whichever of these the machine reports."""
    model = _text(root / "proc/device-tree/model")
    if model is not None:
        yield _finding(Verdict.OK, model.strip("\0 "))
    looked_at = [_temperature(root), _throttled(root), _governor(root), _memory(root)]
    told = [finding for finding in looked_at if finding is not None]
    yield from told
    if not told and model is None:
        yield _finding(Verdict.SKIP, "this machine reports neither temperature nor governor nor memory")


def _temperature(root: Path) -> Finding | None:
    text = _text(root / "sys/class/thermal/thermal_zone0/temp")
    if text is None:
        return None
    degrees = int(text) / 1000.0
    message = f"{degrees:.0f} °C"
    if degrees >= _HOT_C:
        return _finding(Verdict.FAIL, f"{message}: the processor throttles itself", _COOLING)
    if degrees >= _WARM_C:
        return _finding(Verdict.WARN, f"{message}: close to 80 °C, where it throttles itself", _COOLING)
    return _finding(Verdict.OK, message)


def _throttled(root: Path) -> Finding | None:
    bits = _throttled_bits(root)
    if bits is None:
        return None
    now = [text for bit, text in _TROUBLES.items() if bits >> bit & 1]
    before = [text for bit, text in _TROUBLES.items() if bits >> (16 + bit) & 1]
    remedy = _POWER if (bits | bits >> 16) & 1 else _COOLING
    if now:
        return _finding(Verdict.FAIL, f"now: {', '.join(now)}", remedy)
    if before:
        return _finding(Verdict.WARN, f"since boot: {', '.join(before)}", remedy)
    return _finding(Verdict.OK, "no undervoltage and no throttling since boot")


def _throttled_bits(root: Path) -> int | None:
    bits = throttled_bits(root / "sys")
    if bits is not None or not (root / "usr/bin/vcgencmd").exists():
        return bits
    text = _ask_firmware(root / "usr/bin/vcgencmd")
    try:
        return None if text is None else int(text, 16)
    except ValueError:
        return None


def _ask_firmware(program: Path) -> str | None:
    """What `vcgencmd get_throttled` prints after `throttled=`; it needs the group video."""
    try:
        asked = subprocess.run(
            [program, "get_throttled"], capture_output=True, text=True, timeout=_ASK_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return asked.stdout.partition("=")[2].strip()


def _governor(root: Path) -> Finding | None:
    text = _text(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    if text is None:
        return None
    governor = text.strip()
    if governor == "powersave" and not _is_intel_pstate(root):
        return _finding(
            Verdict.WARN,
            "the governor `powersave` keeps the processor at its lowest frequency",
            "add cpufreq.default_governor=ondemand to the single line of /boot/firmware/cmdline.txt",
        )
    return _finding(Verdict.OK, f"governor {governor}")


def _is_intel_pstate(root: Path) -> bool:
    """Whether the driver calls `powersave` what others call `ondemand`."""
    driver = _text(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_driver")
    return driver is not None and driver.startswith(("intel_pstate", "amd-pstate-epp"))


def _memory(root: Path) -> Finding | None:
    lines = (_text(root / "proc/meminfo") or "").splitlines()
    values = {key: value.split() for key, _, value in (line.partition(":") for line in lines)}
    if "MemAvailable" not in values:
        return None
    left = int(values["MemAvailable"][0]) // 1024
    if left < _LITTLE_MB:
        return _finding(
            Verdict.WARN,
            f"{left} MB of memory available",
            "stop other programs; Raspberry Pi OS Lite has no desktop and leaves far more",
        )
    return _finding(Verdict.OK, f"{left} MB of memory available")


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None


def _finding(verdict: Verdict, message: str, remedy: str = "") -> Finding:
    return Finding(stage=Stage.BOARD, verdict=verdict, message=message, remedy=remedy)
