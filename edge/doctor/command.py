"""What `affectd doctor` does: examine, print as it goes, end with a code that tells."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from edge import __version__
from edge.doctor.examination import examine
from edge.doctor.report import Finding, Stage, exit_code, make_report, text_lines

if TYPE_CHECKING:
    from edge.config import Loaded


def run_doctor(load: Callable[[], Loaded], only: Iterable[str] | None, as_json: bool) -> int:
    """Examine this device and print what was found.

    Args:
        load: reads the configuration.
        only: names of the stages to look at; None looks at all.
        as_json: print one JSON object at the end, in place of lines as they come.

    Returns:
        0 when nothing fails, 78 when the configuration does, 69 when something else does.
    """
    findings: list[Finding] = []

    def noted() -> Iterator[Finding]:
        for finding in examine(load, frozenset(map(Stage, only)) if only else frozenset(Stage)):
            findings.append(finding)
            yield finding

    if as_json:
        import msgspec  # noqa: PLC0415  # text needs none of it

        list(noted())
        print(msgspec.json.encode(make_report(findings, __version__)).decode())
    else:
        for line in text_lines(noted()):
            print(line, flush=True)
    return exit_code(findings)
