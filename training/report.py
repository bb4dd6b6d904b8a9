"""docs/accuracy.md and its pictures, from the results alone: nothing in it is typed by hand."""
# ruff: noqa: E501  # lines of Markdown

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
import msgspec
import numpy as np

mpl.use("Agg")
from matplotlib import pyplot as plt  # the backend must be chosen first

from training.errors import WorkbenchError

_BEGIN = "<!-- accuracy: made by `affectd-train report` -->"
_END = "<!-- /accuracy -->"

_TITLES = {
    "P1": "RAVDESS speech, 8 emotions, 6 EmoBox folds",
    "P2": "EMO-DB, 7 emotions, 10 folds of one speaker",
    "P3": "TESS, 7 emotions, one actress trains and the other tests",
    "P4": "URDU, 4 emotions, 5 folds",
    "P5": "nEMO, 6 emotions, 3 folds",
    "P6": "ASED, 5 emotions, 5 folds",
    "P7": "RAVDESS speech and song, 8 emotions, random 80/20 split, **speaker-dependent**",
    "P8": "all corpora together, the 7 shipped labels, 6 joint folds",
    "P9": "angry, happy, neutral, sad; each of six corpora left out in turn",
}

_REFERENCES = {
    "P1": "UAR on the same folds, float: ResLSTM with 47 thousand parameters 62.3; frozen HuBERT-base 65.4, frozen "
    "WavLM-large with 317 million parameters 72.0, frozen Whisper-large-v3 75.3 (EmoBox, Ma et al., 2024); "
    "eGeMAPS + SVM 46.6 on the same audio.",
    "P2": "Accuracy of openSMILE + SVM 73 to 77 (published); eGeMAPS + SVM 64.2 on the same audio.",
    "P3": "eGeMAPS + SVM 19.0 on the same audio.",
    "P4": "eGeMAPS + SVM 57.0 on the same audio.",
    "P5": "eGeMAPS + SVM 31.1 on the same audio.",
    "P6": "eGeMAPS + SVM 76.3 on the same audio.",
}

_NOTES = {
    "P1": "While network and centring were being settled, the test figures of folds 1 and 2 were in view, so these "
    "two are not wholly blind; folds 3 to 6 had not been looked at.",
}

_INTRODUCTION = """\
# Accuracy

Every figure is measured on speakers who are in neither training, validation, normalisation nor calibration, with
the features of `edge.frontend`, the int8 file, the edge runtime, and the windows of `affectd classify`. The number
of epochs is fixed beforehand, or comes from validation speakers taken out of the training folds, as the recipe says;
the temperature comes from validation speakers or is 1. UAR is the unweighted average recall;
the interval is a 95 % bootstrap over speakers. The actors of RAVDESS share two sentences and those of EMO-DB ten,
so the text is known even where the speaker is not. Acted speech is not life: expect less of people who do not act.

This page is made by `affectd-train report` from the JSON files in `benchmarks/results/accuracy/`.
"""


class ReportError(WorkbenchError):
    """Raised when there is nothing to report on; the message says where results were looked for."""

    exit_code = 66


def write_report(results: Path, output: Path) -> list[Path]:
    """Write the page and a picture of the confusions for each result; gives the files written.

    Args:
        results: folder of the JSON files that `affectd-train evaluate` writes.
        output: the page; pictures go into `figures/` beside it.

    Raises:
        ReportError: when there is no result.
    """
    found = _read(results)
    written = [output]
    output.parent.mkdir(parents=True, exist_ok=True)
    text = [_INTRODUCTION, _overview(found)]
    for result in found:
        picture = output.parent / "figures" / f"{result['protocol']}-{result['form']}-confusion.png"
        _draw_confusion(result, picture)
        written.append(picture)
        text.append(_section(result, picture.relative_to(output.parent)))
    output.write_text("\n".join(text), encoding="utf-8")
    return written


def fill_in(page: Path, results: Path) -> bool:
    """Put the table of results between the `accuracy` marks of a page written by hand; False without them."""
    if not page.is_file():
        return False
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if begin and end:
        page.write_text(f"{before}{begin}\n{_overview(_read(results))}{end}{after}", encoding="utf-8")
    return bool(begin and end)


def _read(results: Path) -> list[dict[str, Any]]:
    found = [msgspec.json.decode(path.read_bytes()) for path in sorted(results.glob("P*.json"))]
    if not found:
        raise ReportError(f"{results}: no result; `affectd-train evaluate` writes them, see --results")
    return found


def _overview(results: list[dict[str, Any]]) -> str:
    lines = [
        "| protocol | form | UAR int8 | 95 % | UAR float | WA int8 | macro-F1 int8 | seeds | file |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for r in results:
        low, high = r["int8"]["uar_ci95"]
        lines.append(
            f"| {r['protocol']} {_TITLES[r['protocol']]}{_partial(r)} | {r['form']} | **{_points(r['int8']['uar'])}** "
            f"| {_points(low)} to {_points(high)} | {_points(r['float']['uar'])} | {_points(r['int8']['wa'])} "
            f"| {_points(r['int8']['macro_f1'])} | {len(r['seeds'])} | {r['model']['file_bytes'] / 1000:.0f} kB |"
        )
    return "\n".join(lines) + "\n"


def _section(r: dict[str, Any], picture: Path) -> str:
    worst = min(r["per_speaker"], key=r["per_speaker"].get)
    rows = [
        f"## {r['protocol']} {r['form']}: {_TITLES[r['protocol']]}\n",
        f"`{r['command']}` at {r['commit'] or 'an unknown commit'}: {r['model']['parameters']:,} parameters, "
        f"{r['model']['macs'] / 1e6:.1f} million multiply-accumulates, run in {r['model']['runtime']}.\n",
        *([f"For comparison: {_REFERENCES[r['protocol']]}\n"] if r["protocol"] in _REFERENCES else []),
        *([_NOTES[r["protocol"]] + "\n"] if r["protocol"] in _NOTES else []),
        f"![Confusions of {r['protocol']}]({picture.as_posix()})\n",
        "| fold | " + " | ".join(f"seed {seed}" for seed in r["seeds"]) + " |",
        "|---|" + "---|" * len(r["seeds"]),
    ]
    for fold in r["folds"]:
        cells = [
            _points(f["int8_uar"])
            for seed in r["seeds"]
            for f in r["per_fold"]
            if (f["fold"], f["seed"]) == (fold, seed)
        ]
        rows.append(f"| {fold} | " + " | ".join(cells) + " |")
    groups = {**r["per_sex"], **(r["per_corpus"] if len(r["per_corpus"]) > 1 else {})}
    listed = ", ".join(f"{name} {_points(value)}" for name, value in groups.items())
    rows.append(
        f"\nUAR int8 by group: {listed}. Worst speaker: {worst}, {_points(r['per_speaker'][worst])}.\n"
    )
    return "\n".join(rows)


def _partial(r: dict[str, Any]) -> str:
    total = {"P1": 6, "P2": 10, "P3": 2, "P4": 5, "P5": 3, "P6": 5, "P7": 1, "P8": 6, "P9": 6}[r["protocol"]]
    return "" if len(r["folds"]) == total else f" (**only {len(r['folds'])} of {total} folds**)"


def _points(share: float) -> str:
    return f"{100 * share:.1f}"


def _draw_confusion(r: dict[str, Any], picture: Path) -> None:
    counts = np.array(r["confusion_int8"], float)
    shares = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    n = len(r["labels"])
    figure, axes = plt.subplots(figsize=(1.5 + 0.65 * n, 1.3 + 0.55 * n), layout="constrained")
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=100)
    for row in range(n):
        for column in range(n):
            dark = shares[row, column] > 55
            text = f"{shares[row, column]:.0f}"
            axes.text(column, row, text, ha="center", va="center", color="white" if dark else "black")
    axes.set_xticks(range(n), r["labels"], rotation=45, ha="right")
    axes.set_yticks(range(n), r["labels"])
    axes.set(xlabel="answer", ylabel="truth", title=f"{r['protocol']} {r['form']}, int8, % of each row")
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture, dpi=110)
    plt.close(figure)
