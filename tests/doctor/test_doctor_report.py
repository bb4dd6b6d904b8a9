"""What the doctor's findings become: text, JSON, an exit code."""

import pytest

from edge.doctor.report import Finding, Stage, Verdict, exit_code, make_report, text_lines


def finding(verdict: Verdict, stage: Stage = Stage.DISK, remedy: str = "") -> Finding:
    return Finding(stage=stage, verdict=verdict, message=f"it is {verdict}", remedy=remedy)


@pytest.mark.parametrize(
    ("findings", "code"),
    [
        ([], 0),
        ([finding(Verdict.OK), finding(Verdict.WARN), finding(Verdict.SKIP)], 0),
        ([finding(Verdict.OK), finding(Verdict.FAIL)], 69),
        ([finding(Verdict.FAIL, Stage.CONFIGURATION), finding(Verdict.FAIL)], 78),
        ([finding(Verdict.WARN, Stage.CONFIGURATION)], 0),
    ],
)
def test_exit_code_when_findings_are_given_then_it_tells_the_worst(findings, code):
    assert exit_code(findings) == code


@pytest.mark.parametrize(
    ("verdicts", "worst"),
    [("", "ok"), ("ok skip", "ok"), ("ok warn skip", "warn"), ("warn fail ok", "fail"), ("skip", "ok")],
)
def test_report_when_made_then_its_verdict_is_the_worst(verdicts, worst):
    assert make_report([finding(Verdict(word)) for word in verdicts.split()], "1").verdict.value == worst


def test_text_when_a_stage_has_several_findings_then_its_name_stands_once_and_remedies_below():
    lines = list(text_lines([finding(Verdict.OK), finding(Verdict.WARN, remedy="tidy up")]))
    assert lines[:4] == ["disk", "  ok    it is ok", "  warn  it is warn", "        → tidy up"]


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (Verdict.OK, "all is well"),
        (Verdict.WARN, "affectd works; 1 to consider:"),
        (Verdict.FAIL, "1 to fix before affectd works,"),
    ],
)
def test_text_when_it_ends_then_it_sums_up(verdict, words):
    assert list(text_lines([finding(verdict)]))[-1].startswith(words)
