"""What another process has started and holds open, read from /proc while it goes on."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def _unless_gone() -> Iterator[None]:
    """Threads end and files are closed between the listing of them and a look at one; that is no failure."""
    try:
        yield
    except (FileNotFoundError, ProcessLookupError):
        return


def children(pid: int) -> list[int]:
    """The processes that any thread of a process has started and not yet reaped."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with _unless_gone():
            found += [int(child) for child in (task / "children").read_text(encoding="ascii").split()]
    return found


def files_open_for_writing(pid: int) -> list[Path]:
    """Regular files that a process can write to at this moment."""
    found = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with _unless_gone():
            info = Path(f"/proc/{pid}/fdinfo/{link.name}").read_text(encoding="ascii")
            flags = next(int(line.split()[1], 8) for line in info.splitlines() if line.startswith("flags:"))
            if flags & os.O_ACCMODE != os.O_RDONLY and stat.S_ISREG(link.stat().st_mode):
                found.append(link.readlink())
    return found
