"""The pictures of the page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

from training.report.results import Result

mpl.use("Agg")
from matplotlib import pyplot as plt  # the backend must be chosen first

_BLUE, _ORANGE, _GREY, _GREEN = "#2a5d9f", "#d9742b", "#8a8a8a", "#3f8f5b"


def draw_confusion(result: Result, picture: Path) -> None:
    """Answers in percent of each true label."""
    counts = np.array(result["confusion_int8"], float)
    shares = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    n = len(result["labels"])
    figure, axes = plt.subplots(figsize=(1.5 + 0.65 * n, 1.3 + 0.55 * n), layout="constrained")
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=100)
    for row in range(n):
        for column in range(n):
            dark = shares[row, column] > 55
            text = f"{shares[row, column]:.0f}"
            axes.text(column, row, text, ha="center", va="center", color="white" if dark else "black")
    axes.set_xticks(range(n), result["labels"], rotation=45, ha="right")
    axes.set_yticks(range(n), result["labels"])
    name = f"{result['protocol']} {result['form']}"
    axes.set(xlabel="answer", ylabel="truth", title=f"{name}, int8, % of each row")
    _save(figure, picture)


def draw_curves(results: Sequence[Result], form: str, picture: Path) -> None:
    """UAR over k for each protocol of a form."""
    ks = sorted({int(k) for r in results for k in r["int8_uar_by_k"]})
    figure, axes = plt.subplots(figsize=(6.4, 4.0), layout="constrained")
    for r in results:
        known = [k for k in ks if str(k) in r["int8_uar_by_k"]]
        values = [100 * r["int8_uar_by_k"][str(k)] for k in known]
        axes.plot([ks.index(k) for k in known], values, marker="o", label=r["protocol"])
    axes.set_xticks(range(len(ks)), [str(k) for k in ks])
    clips = "earlier clips, unlabelled" if form == "adapt" else "neutral clips"
    axes.set(xlabel=f"k, {clips}", ylabel="UAR int8, points", title=f"A reference of the voice: {form}")
    axes.grid(axis="y", alpha=0.3)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    _save(figure, picture)


def draw_conditions(result: Result, picture: Path) -> None:
    """P10: a bar for each condition, with its interval and its loss."""
    rows = result["conditions"]
    values = np.array([100 * row["uar"] for row in rows.values()])
    bounds = 100 * np.array([row["uar_ci95"] for row in rows.values()])
    # The interval comes from a bootstrap, which need not lie around the figure itself.
    spread = np.maximum([values - bounds[:, 0], bounds[:, 1] - values], 0)
    figure, axes = plt.subplots(figsize=(9.0, 3.8), layout="constrained")
    colours = [
        _GREY if name == "clean" else _ORANGE if "RT60" in name else _BLUE if "dB" in name else _GREEN
        for name in rows
    ]
    axes.bar(range(len(rows)), values, yerr=spread, color=colours, capsize=3)
    for place, (value, row) in enumerate(zip(values, rows.values(), strict=True)):
        text = f"{value:.1f}" if row["loss"] == 0 else f"{value:.1f}\n({-100 * row['loss']:+.1f})"
        axes.text(place, 1.5, text, ha="center", va="bottom", color="white")
    axes.set_xticks(range(len(rows)), list(rows))
    axes.set(ylabel="UAR int8, points", title="P10: P8's test clips through noise, rooms and microphones")
    _save(figure, picture)


def draw_reliability(result: Result, picture: Path) -> None:
    """How often the answers of each confidence are right, and how many there are."""
    bins = [row for row in result["calibration"]["bins"] if row["share"] > 0]
    confidence = [row["confidence"] for row in bins]
    figure, (upper, lower) = plt.subplots(
        2, 1, figsize=(4.8, 5.4), layout="constrained", sharex=True, height_ratios=(3, 1)
    )
    upper.plot([0, 1], [0, 1], color=_GREY, linestyle="--", label="perfect")
    upper.plot(confidence, [row["accuracy"] for row in bins], marker="o", color=_BLUE, label="affectd")
    upper.set(
        ylabel="share that is right", xlim=(0, 1), ylim=(0, 1), title=f"{result['protocol']}: calibration"
    )
    upper.legend(frameon=False)
    width = 0.8 / max(len(result["calibration"]["bins"]), 1)
    lower.bar(confidence, [row["share"] for row in bins], width=width, color=_BLUE)
    lower.set(xlabel="confidence", ylabel="share of clips")
    _save(figure, picture)


def draw_risk_coverage(result: Result, picture: Path) -> None:
    """What the answers are worth when the least confident are withheld."""
    rows = sorted(result["calibration"]["risk_coverage"], key=lambda row: row["coverage"])
    figure, axes = plt.subplots(figsize=(5.6, 3.8), layout="constrained")
    coverage = [100 * row["coverage"] for row in rows]
    axes.plot(coverage, [100 * row["accuracy"] for row in rows], color=_BLUE, marker=".")
    axes.set(
        xlabel="answers given, % of clips",
        ylabel="right among them, %",
        title=f"{result['protocol']}: withholding what is uncertain",
        xlim=(0, 102),
    )
    axes.grid(alpha=0.3)
    _save(figure, picture)


def _save(figure: Any, picture: Path) -> None:
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture, dpi=110)
    plt.close(figure)
