"""The sound source: opened for real, and listened to for a few seconds."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from edge.audio.block import SAMPLE_RATE, Block
from edge.audio.errors import AudioError
from edge.audio.hang import unless_hung
from edge.audio.settings import AudioSettings, SourceKind
from edge.audio.sources import Source, open_source, opening_s
from edge.config import Config
from edge.doctor.examination import of_error
from edge.doctor.report import Finding, Stage, Verdict
from edge.frontend.vad import HopLevels

LISTEN_S = 3.0
_OPEN_S = 8.0
"""Seconds that a driver may take to open the device; this and LISTEN_S together, that any source may take"""

_CLIPPED = 0.985
"""Amplitude from which a sample counts as clipped; below 1 because resampling rounds the corners off"""

_CLIPPED_SHARE, _ZERO_SHARE, _LATE = 1e-3, 0.5, 0.8
_QUIET_DBFS, _LOUD_FLOOR_DBFS = -60.0, -35.0


def examine(config: Config) -> Iterator[Finding]:
    """Open the source, listen, and judge the sound."""
    if config.audio.source is SourceKind.STDIN:
        yield _finding(Verdict.SKIP, "the sound comes from standard input, which only the daemon can read")
        return
    try:
        sound, took_s = _listen(config.audio)
    except AudioError as error:
        yield _busy(error) or of_error(Stage.MICROPHONE, error)
        return
    what = _name(config.audio)
    if not sound.size:
        yield _finding(
            Verdict.FAIL,
            f"{what} opens and delivers nothing for {took_s:.0f} s",
            "check that `arecord -d 3 /dev/null` ends by itself; unplug the microphone and plug it in again",
        )
        return
    heard_s = sound.size / SAMPLE_RATE
    if config.audio.source is not SourceKind.FILE and heard_s < _LATE * LISTEN_S:
        yield _finding(
            Verdict.WARN,
            f"{what} delivered {heard_s:.1f} s of sound in {took_s:.1f} s",
            "its driver drops sound: try another USB port, or another device_rate in [audio]",
        )
    else:
        yield _finding(Verdict.OK, f"{what} delivers sound")
    yield from _judge(sound, config.audio.gain_db)


def _listen(settings: AudioSettings) -> tuple[Block, float]:
    """At most LISTEN_S of sound, shape (n,), and the seconds that it took."""
    source = open_source(settings)
    # A pipe may stay open and silent.
    guard = threading.Timer(LISTEN_S + _OPEN_S, source.close)
    guard.daemon = True
    guard.start()
    try:
        return unless_hung(
            lambda: _hear(source), lambda: opening_s(source), limit_s=_OPEN_S, cancel=source.close
        )
    finally:
        guard.cancel()


def _hear(source: Source) -> tuple[Block, float]:
    wanted, blocks, count = round(LISTEN_S * SAMPLE_RATE), [], 0
    begun = time.monotonic()
    try:
        # Closes the unfinished generator here rather than at the next garbage collection.
        with contextlib.closing(source.blocks()) as sound:  # type: ignore[type-var]
            for block in sound:
                blocks.append(block)
                count += block.size
                if count >= wanted:
                    break
    finally:
        source.close()
    took_s = time.monotonic() - begun
    return (np.concatenate(blocks) if blocks else np.empty(0, np.float32)), took_s


def _judge(sound: Block, gain_db: float) -> Iterator[Finding]:
    zeros = float(np.mean(sound == 0.0))
    if zeros == 1.0:
        yield _finding(
            Verdict.FAIL,
            "every sample is zero: the input is muted, or nothing is connected to it",
            "turn capture on and up in `alsamixer` (F4), and check the microphone's own switch; for an I2S "
            "microphone, check its wiring and `channel` in [audio]",
        )
        return
    clipped = float(np.mean(np.abs(sound) >= _CLIPPED))
    # As the recognition hears it: without the DC offset that some microphones add, and with the gain.
    levels = HopLevels(SAMPLE_RATE // 10).push(sound - sound.mean()) + gain_db
    floor, loudest = float(np.percentile(levels, 10)), float(levels.max())
    yield _level(floor, loudest)
    if zeros > _ZERO_SHARE:
        yield _finding(
            Verdict.WARN,
            f"{100 * zeros:.0f} % of the samples are zero: the microphone drops sound, or has a noise gate",
            "turn noise suppression off in its driver or in `alsamixer`, or try another USB port",
        )
    if clipped > _CLIPPED_SHARE:
        yield _finding(
            Verdict.WARN,
            f"{100 * clipped:.1f} % of the samples are clipped",
            "turn capture down in `alsamixer` (F4)",
        )
    else:
        yield _finding(Verdict.OK, "nothing is clipped")


def _level(floor: float, loudest: float) -> Finding:
    message = f"level: 10th percentile {floor:.0f} dBFS, maximum {loudest:.0f} dBFS"
    if loudest < _QUIET_DBFS:
        return _finding(
            Verdict.WARN,
            f"{message}: hardly any signal",
            "speak while the doctor listens; if that changes nothing, turn capture up in `alsamixer` (F4)",
        )
    if floor > _LOUD_FLOOR_DBFS:
        return _finding(
            Verdict.WARN,
            f"{message}: loud all the time, but speech has to stand out",
            "move the microphone away from fans and loudspeakers, or turn capture down in `alsamixer` (F4)",
        )
    return _finding(Verdict.OK, message)


def _busy(error: AudioError) -> Finding | None:
    """A warning in place of the error if it is affectd itself that holds the microphone."""
    holder = next((found for pid in _capturing() if (found := _affectd_of(pid))), None)
    if holder is None:
        return None
    return _finding(
        Verdict.WARN,
        f"affectd is already listening (process {holder}), so the sound was not checked: {error}",
        "to check it, run `sudo systemctl stop affectd`, then the doctor again",
    )


def _capturing(proc: Path = Path("/proc")) -> list[str]:
    """Processes that capture from a sound card."""
    owners = []
    for status in proc.glob("asound/card*/pcm*c/sub*/status"):
        with contextlib.suppress(OSError):
            for line in status.read_text(encoding="ascii", errors="replace").splitlines():
                key, _, value = line.partition(":")
                if key.strip() == "owner_pid":
                    owners.append(value.strip())
    return owners


def _affectd_of(pid: str, proc: Path = Path("/proc")) -> str | None:
    """The process itself, or one that it descends from, if that is affectd: `arecord` may be its source."""
    while pid not in {"", "0"}:
        if _is_affectd(pid, proc):
            return pid
        pid = _parent(pid, proc)
    return None


def _is_affectd(pid: str, proc: Path) -> bool:
    # The owner is a thread, which has the command line of its process: an interpreter and its script.
    with contextlib.suppress(OSError):
        words = (proc / pid / "cmdline").read_bytes().split(b"\0")
        return any(Path(os.fsdecode(word)).name == "affectd" for word in words[:2])
    return False


def _parent(pid: str, proc: Path) -> str:
    with contextlib.suppress(OSError):
        for line in (proc / pid / "status").read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key == "PPid":
                return value.strip()
    return ""


def _name(settings: AudioSettings) -> str:
    match settings.source:
        case SourceKind.FILE:
            return f"the file {settings.path}"
        case SourceKind.COMMAND:
            return f"the command {settings.command!r}"
        case _:
            return "the default microphone" if settings.device is None else f"microphone {settings.device!r}"


def _finding(verdict: Verdict, message: str, remedy: str = "") -> Finding:
    return Finding(stage=Stage.MICROPHONE, verdict=verdict, message=message, remedy=remedy)
