"""`affectd doctor`: runs the checks, prints findings as they come, and returns the exit code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from edge import __version__
from edge.doctor.examination import examine
from edge.doctor.report import Finding, Stage, exit_code, make_report, text_lines

if TYPE_CHECKING:
    from edge.config import Loaded


def run_doctor(load: Callable[[], Loaded], only: Iterable[str] | None, as_json: bool) -> int:
    """Check this device and print the findings.

    Args:
        load: reads the configuration.
        only: names of the stages to run; None runs all.
        as_json: print one JSON object at the end, instead of lines as they come.

    Returns:
        0 if nothing fails, 78 if the configuration does, 69 if anything else does.
    """
    findings: list[Finding] = []

    def noted() -> Iterator[Finding]:
        for finding in examine(load, frozenset(map(Stage, only)) if only else frozenset(Stage)):
            findings.append(finding)
            yield finding

    if as_json:
        import msgspec  # noqa: PLC0415  # the text output does not need it

        list(noted())
        print(msgspec.json.encode(make_report(findings, __version__)).decode())
    else:
        for line in text_lines(noted()):
            print(line, flush=True)
    return exit_code(findings)
