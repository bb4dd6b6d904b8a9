"""The doctor's findings, as text that says what to do, or as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum

import msgspec

_EX_UNAVAILABLE, _EX_CONFIG = 69, 78


class Verdict(StrEnum):
    """The result of one check, from good to bad."""

    OK = "ok"
    SKIP = "skip"
    """Not checked: not configured, not on this machine, or dependent on something that failed"""

    WARN = "warn"
    """affectd works, but less well than it could"""

    FAIL = "fail"
    """affectd does not work until this is fixed"""


class Stage(StrEnum):
    """What is checked, in this order: later stages depend on earlier ones."""

    CONFIGURATION = "configuration"
    SYSTEM = "system"
    MODEL = "model"
    SPEED = "speed"
    PERMISSIONS = "permissions"
    MICROPHONE = "microphone"
    CLOCK = "clock"
    DISK = "disk"
    BOARD = "board"
    BROKER = "broker"
    HOME_ASSISTANT = "home-assistant"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one check, with its message."""

    stage: Stage
    verdict: Verdict
    message: str
    """What was found"""

    remedy: str = ""
    """What to do about it; empty when there is nothing to do"""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All findings: what `--json` prints."""

    affectd: str
    """Version"""

    verdict: Verdict
    """The worst of the findings"""

    findings: list[Finding]


def make_report(findings: list[Finding], version: str) -> Report:
    """The report on these findings."""
    ranks = list(Verdict)
    worst = max((finding.verdict for finding in findings), key=ranks.index, default=Verdict.OK)
    return Report(affectd=version, verdict=Verdict.OK if worst is Verdict.SKIP else worst, findings=findings)


def exit_code(findings: Iterable[Finding]) -> int:
    """0 if nothing fails, 78 if the configuration does, 69 if anything else does."""
    failed = {finding.stage for finding in findings if finding.verdict is Verdict.FAIL}
    if Stage.CONFIGURATION in failed:
        return _EX_CONFIG
    return _EX_UNAVAILABLE if failed else 0


def text_lines(findings: Iterable[Finding]) -> Iterator[str]:
    """Lines for people, each as soon as its finding is there, and a final summary."""
    stage, count = None, dict.fromkeys(Verdict, 0)
    for finding in findings:
        if finding.stage is not stage:
            stage = finding.stage
            yield stage.value
        count[finding.verdict] += 1
        yield f"  {finding.verdict.value:<4}  {finding.message}"
        if finding.remedy:
            yield f"        → {finding.remedy}"
    warned, failed = count[Verdict.WARN], count[Verdict.FAIL]
    yield ""
    if failed:
        yield f"{failed} to fix before affectd works, {warned} to consider: see the lines with →"
    elif warned:
        yield f"affectd works; {warned} to consider: see the lines with →"
    else:
        yield "all is well"
