"""affectd as its users run it: a process of its own, whose lines a test can wait for."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import edge

ROOT = Path(edge.__file__).parents[1]
AFFECTD = (sys.executable, "-m", "edge.cli")
TIMEOUT_S = 60.0


def environment(changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """Children import the code under test from the same place, installed or not."""
    changes = dict(changes or {})
    before = [path for path in (changes.pop("PYTHONPATH", ""),) if path]
    return {**os.environ, "PYTHONPATH": os.pathsep.join([*before, str(ROOT)]), **changes}


def affectd(
    *arguments: object, env: Mapping[str, str] | None = None, **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run a command of affectd to its end."""
    return subprocess.run(
        [*AFFECTD, *map(str, arguments)],
        env=environment(env),
        text=True,
        check=False,
        **{"capture_output": True, "stdin": subprocess.DEVNULL, "timeout": TIMEOUT_S, **options},
    )


class Program:
    """A program that runs beside the test."""

    def __init__(
        self,
        *arguments: object,
        command: Sequence[str] = AFFECTD,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        own_group: bool = False,
    ) -> None:
        self.lines: list[str] = []
        """What it has said so far, on standard output and standard error"""
        self._came = threading.Condition()
        self.process = subprocess.Popen(
            [*command, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(env),
            cwd=cwd,
            start_new_session=own_group,
        )
        self._readers = [
            threading.Thread(target=self._read, args=(pipe,), daemon=True)
            for pipe in (self.process.stdout, self.process.stderr)
        ]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.end_input()
        self.process.wait()
        self.wait_for_end_of_output()

    def _read(self, pipe: IO[bytes]) -> None:
        for line in pipe:
            with self._came:
                self.lines.append(line.decode().rstrip("\n"))
                self._came.notify_all()

    def wait_for(self, fits: str | Callable[[str], bool], since: int = 0) -> str:
        """The first line from number `since` on that has this part, or that fits."""
        check = (lambda line: fits in line) if isinstance(fits, str) else fits

        def found() -> str | None:
            return next((line for line in self.lines[since:] if check(line)), None)

        with self._came:
            assert self._came.wait_for(lambda: found() is not None, TIMEOUT_S), self.lines
            line = found()
        assert line is not None
        return line

    def say(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def end_input(self) -> None:
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            self.process.stdin.close()

    def signal(self, number: int) -> tuple[int, float]:
        """Send a signal; gives the exit code, and the seconds until the process was gone."""
        start = time.monotonic()
        self.process.send_signal(number)
        code = self.process.wait(TIMEOUT_S)
        took = time.monotonic() - start
        return code, took

    def wait(self, timeout_s: float = TIMEOUT_S) -> int:
        """Its exit code, once it has ended by itself and all that it said has been read."""
        code = self.process.wait(timeout_s)
        self.wait_for_end_of_output()
        return code

    def wait_for_end_of_output(self, timeout_s: float = 5.0) -> None:
        """Until nobody holds its output any more, a child that inherited it included."""
        for reader in self._readers:
            reader.join(timeout_s)
            assert not reader.is_alive(), "somebody still holds the output"
