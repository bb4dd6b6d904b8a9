"""Progress reports: bars on a terminal, occasional plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


class EpochDone(NamedTuple):
    """What a training reports after each epoch."""

    epoch: int
    """Counted from 1"""

    epochs: int
    """Epochs of the whole training, if it does not stop early"""

    loss: float
    validation_uar: float | None
    """UAR on the validation speakers; None without any"""


_LINES = 4
"""Lines of progress on the features when there is no terminal"""


@contextmanager
def clip_progress(console: Console) -> Iterator[Callable[[int, int], None]]:
    """Yield a function to call with the clips whose features are loaded, and the clips in all."""
    if not console.is_terminal:
        yield lambda done, total: _tell_clips(console, done, total)
        return
    with _bars(console, "clips") as bars:
        task = bars.add_task("features", total=None, note="")
        yield lambda done, total: bars.update(task, completed=done, total=total)


@contextmanager
def condition_progress(console: Console) -> Iterator[Callable[[str, int, int], None]]:
    """Yield a function to call with the fold and condition, the clips done, and the clips in all."""
    if not console.is_terminal:

        def tell(name: str, done: int, total: int) -> None:
            if done == total:
                console.print(f"{name}: {done} clips", highlight=False, markup=False, soft_wrap=True)

        yield tell
        return
    with _bars(console, "clips") as bars:
        tasks: dict[str, TaskID] = {}

        def show(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=total, note="")
            bars.update(tasks[name], completed=done)

        yield show


@contextmanager
def epoch_progress(console: Console) -> Iterator[Callable[[str, EpochDone], None]]:
    """Yield a function to call with the run's name after each epoch."""
    if not console.is_terminal:

        def tell(name: str, done: EpochDone) -> None:
            text = f"{name}: epoch {done.epoch} of {done.epochs}, {_note(done)}"
            console.print(text, highlight=False, markup=False, soft_wrap=True)

        yield tell
        return
    with _bars(console, "epochs") as bars:
        tasks: dict[str, TaskID] = {}

        def show(name: str, done: EpochDone) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=done.epochs, note="")
            bars.update(tasks[name], completed=done.epoch, note=_note(done))

        yield show


def _tell_clips(console: Console, done: int, total: int) -> None:
    if done * _LINES // total > (done - 1) * _LINES // total:
        console.print(f"features: {done} of {total} clips", highlight=False)


def _note(done: EpochDone) -> str:
    score = "" if done.validation_uar is None else f", validation UAR {done.validation_uar:.1%}"
    return f"loss {done.loss:.3f}{score}"


def _bars(console: Console, unit: str) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=console,
    )
