"""The whole examination: every stage in its order, each loaded only when its turn comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from edge.doctor.report import Finding, Stage, Verdict
from edge.errors import AffectdError

if TYPE_CHECKING:
    from edge.config import Config, Loaded

_NEEDS_CONFIGURATION = set(Stage) - {Stage.CONFIGURATION, Stage.SYSTEM, Stage.CLOCK, Stage.BOARD}


class Examination(Protocol):
    """What a stage's module has: the function `examine`."""

    def examine(self, config: Config) -> Iterator[Finding]:
        """Look, and say what was found, one thing after the other."""
        ...


def examine(load: Callable[[], Loaded], only: frozenset[Stage] = frozenset(Stage)) -> Iterator[Finding]:
    """Look at everything, or at some stages only.

    Args:
        load: reads the configuration; what it raises is a finding too.
        only: the stages to look at. A configuration that cannot be used is told of in any case.
    """
    from edge.config import Config  # noqa: PLC0415  # `--help` must not wait for numpy

    try:
        loaded = load()
    except AffectdError as error:
        yield of_error(Stage.CONFIGURATION, error)
        only = only - _NEEDS_CONFIGURATION
        config = Config()
    else:
        config = loaded.config
        if Stage.CONFIGURATION in only:
            yield Finding(stage=Stage.CONFIGURATION, verdict=Verdict.OK, message=_origin(loaded))
    for stage in Stage:
        if stage in only and stage is not Stage.CONFIGURATION:
            yield from _examine(stage, config)


def of_error(stage: Stage, error: AffectdError) -> Finding:
    """An error as a finding: what it says behind its first semicolon is the remedy."""
    message, _, remedy = str(error).partition("; ")
    return Finding(stage=stage, verdict=Verdict.FAIL, message=message, remedy=remedy)


def _examine(stage: Stage, config: Config) -> Iterator[Finding]:
    try:
        module: Examination = import_module(f"edge.doctor.{stage.value.replace('-', '_')}")
        yield from module.examine(config)
    except AffectdError as error:
        yield of_error(stage, error)
    except Exception as error:  # noqa: BLE001
        # One stage that stumbles must not keep the others from being looked at.
        yield Finding(
            stage=stage,
            verdict=Verdict.FAIL,
            message=f"could not be looked at: {type(error).__name__}: {error}",
            remedy="install affectd anew; if it stays so, please report this line",
        )


def _origin(loaded: Loaded) -> str:
    origins = dict.fromkeys(loaded.origins.values())
    where = f"values from {', '.join(origins)}" if origins else "no file, so the defaults"
    return f"{where}; `affectd config show` prints them all"
