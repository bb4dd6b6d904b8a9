"""The table for readers in a hurry: one line for each protocol."""

from __future__ import annotations

from collections.abc import Sequence

from training.report.results import Result, best, mean_of_parts, points
from training.report.tables import had_all, interval, partial
from training.report.words import TITLES

_NEW_VOICE = ("in", "multi", "joint")
_BASELINES = ("egemaps-svm", "egemaps-svm-one-level")
"""As recorded, and all recordings equally loud, as affectd hears them"""


def summary(results: Sequence[Result], baselines: Sequence[Result]) -> str:
    """UAR of the int8 file with a new voice, with a voice that it knows, and of the usual baseline."""
    lines = [
        "| protocol | a new voice | 95 % | after up to 10 turns | after up to 3 neutral turns "
        "| eGeMAPS + SVM, at one level |",
        "|---|---|---|---|---|---|",
    ]
    for name in dict.fromkeys(r["protocol"] for r in results):
        ours = [r for r in results if r["protocol"] == name]
        theirs = {r["model"]["name"]: points(_uar(r)) for r in baselines if r["protocol"] == name}
        peers = ", ".join(theirs[b] for b in _BASELINES if b in theirs) or "–"
        for new in (r for r in ours if r["form"] in _NEW_VOICE):
            known = {
                r["form"]: points(_uar(r)) + _parts(r) + had_all(r)
                for r in ours
                if r.get("base") == new["form"]
            }
            lines.append(
                f"| {name}: {TITLES[name]}{partial(new)}{_how(new)} | **{points(_uar(new))}**{_parts(new)} "
                f"| {interval(new)} | {known.get('adapt', '–')} | {known.get('enrol', '–')} | {peers} |"
            )
    return "\n".join(lines) + "\n"


def _uar(result: Result) -> float:
    return float(best(result)["uar"])


def _how(result: Result) -> str:
    return "; trained on the other corpora first" if result["form"] == "multi" else ""


def _parts(result: Result) -> str:
    mean = mean_of_parts(result)
    if mean is None or result["protocol"] == "P3":
        return ""
    return f" (mean over corpora {points(mean)})"
