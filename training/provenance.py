"""The state of the sources that produced a figure."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path

_SOURCES = ("--", ":/edge", ":/training", ":/converter")
"""What a figure depends on; the results are left out, because a run itself adds to them"""


def commit() -> str | None:
    """The commit of the checkout, with a plus when its sources differ from it; None outside a checkout."""
    git = ["git", "-C", str(Path(__file__).parent)]
    try:
        head = subprocess.run(
            [*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True
        )
        dirty = subprocess.run(
            [*git, "status", "--porcelain", "-uno", *_SOURCES], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return head.stdout.strip() + ("+" if dirty.stdout.strip() else "")


def listed(commits: Iterable[str | None]) -> str | None:
    """Each of the commits once, as a result names them; None if none is known."""
    return ", ".join(sorted({commit for commit in commits if commit})) or None
