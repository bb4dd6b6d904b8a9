"""The clock: turns carry its time, and TLS checks certificates against it."""

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
    "except for the 5 with a battery, a Raspberry Pi's clock stops without power: connect it to the network "
    "and turn on time synchronisation with `sudo timedatectl set-ntp true`"
)


def examine(_config: Config, now: float | None = None) -> Iterator[Finding]:
    """Check whether the time is possible at all, and whether it is synchronised."""
    at = datetime.fromtimestamp(time.time() if now is None else now, UTC)
    installed = datetime.fromtimestamp(Path(edge.__file__).stat().st_mtime, UTC)
    if at < installed:
        yield _finding(
            Verdict.FAIL,
            f"the clock says {at:%Y-%m-%d %H:%M} UTC, before affectd was installed ({installed:%Y-%m-%d}): "
            "turns carry wrong times, and TLS rejects certificates",
            _REMEDY,
        )
        return
    match _synchronised():
        case None:
            yield _finding(Verdict.OK, f"{at:%Y-%m-%d %H:%M:%S} UTC; no information on time synchronisation")
        case True:
            yield _finding(Verdict.OK, f"{at:%Y-%m-%d %H:%M:%S} UTC, synchronised with a time server")
        case False:
            yield _finding(
                Verdict.WARN, f"{at:%Y-%m-%d %H:%M:%S} UTC, not synchronised with a time server", _REMEDY
            )


def _synchronised() -> bool | None:
    """Whether systemd reports the clock as synchronised; None if it cannot be asked."""
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
