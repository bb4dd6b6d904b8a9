"""The network by itself: others that were trained as ours was, on the same folds."""
# ruff: noqa: E501  # lines of Markdown

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from training.report.comparisons import FOLDER
from training.report.results import Result, points, read_folder

_WORDS = """\
## What the network is worth

Other networks in place of affectd's, trained with the same features, references, augmentation and number of batches. Here, affectd's has
neither a second half nor views either. Only folds that all of them were trained on count: {folds}. Mean of the folds' UAR, int8,
seed 0, in percent: a point or two are chance.

{commands}
| network | UAR | parameters | multiply-accumulates | file |
|---|---|---|---|---|
"""


def say_networks(results: Path, baselines: Sequence[Result]) -> str:
    """The table as Markdown; empty where no other network was trained.

    Args:
        results: folder of the results, where those of the plain network are a side of a comparison.
        baselines: of these, networks have an int8 file.
    """
    rows, counted, commands = [], [], []
    for plain in read_folder(results / FOLDER / "views" / "without"):
        others = [r for r in baselines if r["int8"] and r["protocol"] == plain["protocol"]]
        if plain["form"] != "in" or not others:
            continue
        folds = sorted(set.intersection(*(set(r["folds"]) for r in [plain, *others])))
        counted.append(f"of {plain['protocol']}, {', '.join(map(str, folds))}")
        commands += [f"    {r['command']}    # at {r['commit']}\n" for r in [plain, *others]]
        rows += [_row(plain, "**affectd**", folds), *(_row(r, r["model"]["name"], folds) for r in others)]
    words = _WORDS.format(folds="; ".join(counted), commands="".join(commands))
    return words + "\n".join(rows) + "\n" if rows else ""


def _row(result: Result, name: str, folds: Sequence[int]) -> str:
    uar = np.mean([r["int8_uar"] for r in result["per_fold"] if r["fold"] in folds and r["seed"] == 0])
    model = result["model"]
    return (
        f"| {result['protocol']} {name} | {points(float(uar))} | {model['parameters']:,} "
        f"| {model['macs'] / 1e6:.1f} million | {model['file_bytes'] / 1000:.0f} kB |"
    )
