"""The whole examination: all stages in order, each imported only when it is reached."""

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
    """The interface of a stage's module: the function `examine`."""

    def examine(self, config: Config) -> Iterator[Finding]:
        """Run the checks and yield their findings one after the other."""
        ...


def examine(load: Callable[[], Loaded], only: frozenset[Stage] = frozenset(Stage)) -> Iterator[Finding]:
    """Run all stages, or only some of them.

    Args:
        load: reads the configuration; an error that it raises becomes a finding.
        only: the stages to run. A configuration that cannot be used is reported in any case.
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
    """An error as a finding: the text after its first semicolon is the remedy.

    A semicolon in parentheses or in a quoted command belongs to what those say.
    """
    message, remedy = _split(str(error))
    return Finding(stage=stage, verdict=Verdict.FAIL, message=message, remedy=remedy)


def _split(text: str) -> tuple[str, str]:
    depth, quoted = 0, False
    for place, character in enumerate(text):
        quoted ^= character == "`"
        if quoted:
            continue
        depth += (character == "(") - (character == ")")
        if not depth and text.startswith("; ", place):
            return text[:place], text[place + 2 :]
    return text, ""


def _examine(stage: Stage, config: Config) -> Iterator[Finding]:
    try:
        module: Examination = import_module(f"edge.doctor.{stage.value.replace('-', '_')}")
        yield from module.examine(config)
    except AffectdError as error:
        yield of_error(stage, error)
    except Exception as error:  # noqa: BLE001
        # An unexpected error in one stage must not keep the others from running.
        yield Finding(
            stage=stage,
            verdict=Verdict.FAIL,
            message=f"this check itself failed: {type(error).__name__}: {error}",
            remedy="reinstall affectd; if that does not help, please report this line",
        )


def _origin(loaded: Loaded) -> str:
    origins = dict.fromkeys(loaded.origins.values())
    where = f"values from {', '.join(origins)}" if origins else "no file, so all values are defaults"
    return f"{where}; `affectd config show` prints them all"
