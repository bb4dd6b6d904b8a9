"""A log of all runs: one JSON line for each finished training, so that none is forgotten."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from training.errors import WorkbenchError
from training.recipe import Recipe

RUNS = Path("benchmarks/results/runs.jsonl")
"""Place of the log in a checkout"""


class RunLogError(WorkbenchError):
    """Raised when a line of a log is not a run; the message says which."""


class LoggedRun(msgspec.Struct, frozen=True, kw_only=True):
    """One finished training."""

    date: str
    """When: UTC, ISO 8601"""

    commit: str | None
    """Commit of the sources that trained it, see `training.provenance`"""

    protocol: str
    """With its form, such as P1-in; `fit` or `tune` for a network that is not a fold of a protocol"""

    fold: str
    seed: int
    recipe: Recipe
    validation_uar: float | None
    test_uar: float | None
    """Of the int8 file; None if nothing was tested"""

    seconds: float | None
    """Duration of the training, in the process that finished it"""


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
    """Add a run that finishes now to the log; several processes may do so at the same time."""
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
    # One appending write for the whole line, so that lines of other processes come before or after it.
    line = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(line, msgspec.json.encode(run) + b"\n")
    finally:
        os.close(line)


def read_runs(file: Path) -> list[LoggedRun]:
    """Every run of a log, oldest first; none if there is no file.

    Raises:
        RunLogError: when a line is not a run.
    """
    if not file.exists():
        return []
    runs = []
    for number, line in enumerate(file.read_bytes().splitlines(), 1):
        try:
            runs.append(msgspec.json.decode(line, type=LoggedRun))
        except (msgspec.DecodeError, ValueError) as error:
            raise RunLogError(f"{file}:{number}: not a run: {error}") from error
    return runs
