"""A log of every run: one JSON line for each training that ended, so that none is forgotten."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from training.errors import WorkbenchError
from training.recipe import Recipe

RUNS = Path("benchmarks/results/runs.jsonl")
"""Where the log is in a checkout"""


class RunLogError(WorkbenchError):
    """Raised when a line of a log is none; the message says which."""


class LoggedRun(msgspec.Struct, frozen=True, kw_only=True):
    """One training that ended."""

    date: str
    """When: UTC, ISO 8601"""

    commit: str | None
    """State of the sources that trained it, see `training.provenance`"""

    protocol: str
    """With its form, such as P1-in; `fit` for a network that no protocol asked for"""

    fold: str
    seed: int
    recipe: Recipe
    validation_uar: float | None
    test_uar: float | None
    """Of the int8 file; None where nothing was tested"""

    seconds: float | None
    """That the training took, in the process that ended it"""


def append_run(
    file: Path,
    *,
    commit: str | None,
    protocol: str,
    recipe: Recipe,
    fold: str = "",
    validation_uar: float | None = None,
    test_uar: float | None = None,
    seconds: float | None = None,
) -> None:
    """Add a run that ends now to the log; processes may do so side by side."""
    run = LoggedRun(
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        commit=commit,
        protocol=protocol,
        fold=fold,
        seed=recipe.seed,
        recipe=recipe,
        validation_uar=None if validation_uar is None else round(validation_uar, 4),
        test_uar=None if test_uar is None else round(test_uar, 4),
        seconds=None if seconds is None else round(seconds, 1),
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    # One write of one line at the end: what another process adds meanwhile stands before or behind it.
    line = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(line, msgspec.json.encode(run) + b"\n")
    finally:
        os.close(line)


def read_runs(file: Path) -> list[LoggedRun]:
    """Every run of a log, oldest first; without a file there is none.

    Raises:
        RunLogError: when a line is no run.
    """
    if not file.exists():
        return []
    runs = []
    for number, line in enumerate(file.read_bytes().splitlines(), 1):
        try:
            runs.append(msgspec.json.decode(line, type=LoggedRun))
        except (msgspec.DecodeError, ValueError) as error:
            raise RunLogError(f"{file}:{number}: is no run: {error}") from error
    return runs
