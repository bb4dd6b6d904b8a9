"""The clock: turns carry its time, and TLS checks certificates by it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import edge
from edge.config import Config
from edge.doctor.report import Finding, Stage, Verdict

_ASK_S = 5.0
_REMEDY = (
    "a Raspberry Pi has no clock of its own that outlives a power cut, but for the 5 with a battery: connect "
    "it to the network and turn time synchronisation on, `sudo timedatectl set-ntp true`"
)


def examine(_config: Config, now: float | None = None) -> Iterator[Finding]:
    """Whether the time can be true at all, and whether somebody keeps it so."""
    at = datetime.fromtimestamp(time.time() if now is None else now, UTC)
    installed = datetime.fromtimestamp(Path(edge.__file__).stat().st_mtime, UTC)
    if at < installed:
        yield _finding(
            Verdict.FAIL,
            f"it is {at:%Y-%m-%d %H:%M} UTC here, before affectd was installed ({installed:%Y-%m-%d}): "
            "turns carry wrong times, and TLS refuses certificates",
            _REMEDY,
        )
        return
    match _synchronised():
        case None:
            yield _finding(Verdict.OK, f"{at:%Y-%m-%d %H:%M:%S} UTC; nobody here says whether it is kept")
        case True:
            yield _finding(Verdict.OK, f"{at:%Y-%m-%d %H:%M:%S} UTC, kept by a time server")
        case False:
            yield _finding(Verdict.WARN, f"{at:%Y-%m-%d %H:%M:%S} UTC, and no time server keeps it", _REMEDY)


def _synchronised() -> bool | None:
    """What systemd says; None where it cannot be asked."""
    try:
        asked = subprocess.run(
            ["timedatectl", "show", "--property=NTPSynchronized", "--value"],
            capture_output=True,
            text=True,
            timeout=_ASK_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return {"yes": True, "no": False}.get(asked.stdout.strip())


def _finding(verdict: Verdict, message: str, remedy: str = "") -> Finding:
    return Finding(stage=Stage.CLOCK, verdict=verdict, message=message, remedy=remedy)
