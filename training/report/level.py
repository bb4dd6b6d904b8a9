"""What the usual baseline owes to how loud each recording is."""
# ruff: noqa: E501  # lines of Markdown

from __future__ import annotations

from collections.abc import Sequence

from training.report.results import Result, best, points

_BASELINES = ("egemaps-svm", "egemaps-svm-one-level", "level-svm")

_WORDS = """\
## What the level of a recording gives away

In some corpora, how loud a recording is tells its emotion. A device cannot use that: it knows neither the distance of the mouth nor the
gain, and affectd [ignores both](design.md#why-the-reference-moves-from-the-turn-to-the-voice). So its peer is eGeMAPS + SVM on
recordings that were brought to one level (RMS) first. *Level alone* is an SVM on that one number; in brackets, what guessing gives.
UAR in percent; affectd's is that of the int8 file on a new voice.

| protocol | eGeMAPS + SVM | at one level | level alone | affectd, in |
|---|---|---|---|---|
"""


def say_level(results: Sequence[Result], baselines: Sequence[Result]) -> str:
    """The table as Markdown; empty where no protocol has all of the three baselines."""
    ours = {r["protocol"]: points(best(r)["uar"]) for r in results if r["form"] == "in"}
    theirs = {(r["protocol"], r["model"]["name"]): points(best(r)["uar"]) for r in baselines}
    rows = []
    for r in baselines:
        cells = [theirs.get((r["protocol"], name)) for name in _BASELINES]
        known = [cell for cell in cells if cell is not None]
        if r["model"]["name"] == _BASELINES[-1] and len(known) == len(_BASELINES):
            known[-1] += f" ({points(1 / len(r['labels']))})"
            rows.append(f"| {r['protocol']} | {' | '.join(known)} | {ours.get(r['protocol'], '–')} |")
    return _WORDS + "\n".join(rows) + "\n" if rows else ""
