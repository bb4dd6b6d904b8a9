"""How far the work is: bars on a terminal, and a plain line now and then where nobody watches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

_LINES = 4
"""Lines that tell of the features where there is no terminal"""


@contextmanager
def clip_progress(console: Console) -> Iterator[Callable[[int, int], None]]:
    """Gives what to call with the clips whose features are there, and the clips in all."""
    if not console.is_terminal:
        yield lambda done, total: _tell_clips(console, done, total)
        return
    with _bars(console, "clips") as bars:
        task = bars.add_task("features", total=None, note="")
        yield lambda done, total: bars.update(task, completed=done, total=total)


@contextmanager
def condition_progress(console: Console) -> Iterator[Callable[[str, int, int], None]]:
    """Gives what to call with the fold and condition, the clips done, and the clips in all."""
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
def epoch_progress(
    console: Console, epochs: int
) -> Iterator[Callable[[str, int, float, float | None], None]]:
    """Gives what to call after each epoch: the run's name, the epoch, the loss, the UAR in validation."""
    if not console.is_terminal:

        def tell(name: str, epoch: int, loss: float, score: float | None) -> None:
            text = f"{name}: epoch {epoch} of {epochs}, {_note(loss, score)}"
            console.print(text, highlight=False, markup=False, soft_wrap=True)

        yield tell
        return
    with _bars(console, "epochs") as bars:
        tasks: dict[str, TaskID] = {}

        def show(name: str, epoch: int, loss: float, score: float | None) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=epochs, note="")
            bars.update(tasks[name], completed=epoch, note=_note(loss, score))

        yield show


def _tell_clips(console: Console, done: int, total: int) -> None:
    if done * _LINES // total > (done - 1) * _LINES // total:
        console.print(f"features: {done} of {total} clips", highlight=False)


def _note(loss: float, score: float | None) -> str:
    return f"loss {loss:.3f}" + ("" if score is None else f", validation UAR {score:.1%}")


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
