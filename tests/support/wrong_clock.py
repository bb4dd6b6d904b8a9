"""A time of day that is wrong for one process, and is set right while it runs.

Only the time of day is changed, so that waits take as long as ever; with libfaketime, Python's `time.sleep`
fails.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

_SOURCE = Path(__file__).with_suffix(".c")


class WrongClock:
    """For programs that run in `environment`, it is `offset_s` seconds later than it is."""

    def __init__(self, folder: Path, offset_s: float) -> None:
        if shutil.which("gcc") is None:
            pytest.skip("gcc is not installed")
        library = folder / "wrong_clock.so"
        subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", library, _SOURCE, "-ldl"], check=True)
        self._file = folder / "wrong_clock"
        self.environment = {"LD_PRELOAD": str(library), "WRONG_CLOCK": str(self._file)}
        self.set(offset_s)

    def set(self, offset_s: float) -> None:
        """Change it, at once, for all that run."""
        self._file.write_text(str(int(offset_s)))
