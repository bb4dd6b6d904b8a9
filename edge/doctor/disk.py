"""The disk on which undelivered turns are kept."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from edge.config import Config
from edge.doctor.permissions import nearest
from edge.doctor.report import Finding, Stage, Verdict
from edge.mqtt.outbox_settings import Storage

_IN_MEMORY = {"tmpfs", "ramfs", "overlay"}
"""Types of file systems that a power cut empties; a read-only Raspberry Pi OS writes to an overlay"""

_LITTLE_BYTES = 20_000_000


def examine(config: Config, mounts: Path = Path("/proc/self/mounts")) -> Iterator[Finding]:
    """Check the free space, and whether what is written there survives a power cut."""
    if config.outbox.storage is Storage.MEMORY:
        yield _finding(Verdict.SKIP, "undelivered turns are kept in memory ([outbox] storage)")
        return
    folder = nearest(config.outbox.file(config.mqtt.topics.device).parent)
    info = os.statvfs(folder)
    if info.f_flag & os.ST_RDONLY:
        yield _finding(
            Verdict.FAIL,
            f"{folder} is on a read-only file system: undelivered turns are lost when affectd ends",
            'mount a writable disk there, or accept that with storage = "memory" in [outbox]',
        )
        return
    yield _space(folder, info.f_bavail * info.f_frsize, config.outbox.max_bytes)
    kind = _kind(folder, mounts)
    if kind in _IN_MEMORY:
        yield _finding(
            Verdict.WARN,
            f"{folder} is on a file system ({kind}) that may be in memory only: a power cut would lose "
            "undelivered turns",
            "mount a disk there; firmware_configs/systemd has a unit that does so on a read-only system",
        )


def _space(folder: Path, free: int, outbox: int) -> Finding:
    message = f"{free / 1e6:,.0f} MB free at {folder}".replace(",", " ")
    if free < _LITTLE_BYTES:
        return _finding(
            Verdict.FAIL, message, "free some space: `sudo journalctl --vacuum-size=20M`, `apt clean`"
        )
    if free < outbox + _LITTLE_BYTES:
        return _finding(
            Verdict.WARN,
            f"{message}, but undelivered turns may take {outbox / 1e6:.0f} MB",
            "free some space, or lower max_bytes in [outbox]",
        )
    return _finding(Verdict.OK, message)


def _kind(folder: Path, mounts: Path) -> str | None:
    """The type of the file system that holds a folder; None if unknown."""
    try:
        lines = mounts.read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    # The last mount on a path hides those before it.
    kinds = {Path(fields[1].replace("\\040", " ")): fields[2] for fields in map(str.split, lines)}
    here = folder.resolve()
    return next((kinds[place] for place in (here, *here.parents) if place in kinds), None)


def _finding(verdict: Verdict, message: str, remedy: str = "") -> Finding:
    return Finding(stage=Stage.DISK, verdict=verdict, message=message, remedy=remedy)
