"""`affectd-train evaluate --protocol P10`: score the finished folds of P8 under adverse conditions."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import msgspec

from training.commands.common import console, read_places, repeatable
from training.commands.evaluate import write_result
from training.progress import condition_progress
from training.provenance import listed
from training.recipe import Recipe
from training.run_folder import read_info


def run(args: argparse.Namespace) -> int:
    """Score what is not scored yet, write the figures, and print them."""
    from training.fold_task import fold_folder  # noqa: PLC0415
    from training.protocols import JOINT, plan  # noqa: PLC0415  # slow to import, as in `evaluate`
    from training.robustness import robustness_figures, score_fold  # noqa: PLC0415

    protocol = plan(JOINT, read_places(args.corpus).clips, args.folds)
    places = [
        (seed, split, fold_folder(args.runs, JOINT, protocol.form, seed, split.name))
        for seed in range(args.seeds)
        for split in protocol.splits
    ]
    with condition_progress(console) as show:
        folds = [score_fold(split, seed, folder, args.jobs, show) for seed, split, folder in places]
    kept = [msgspec.json.decode((folder / "result.json").read_bytes()) for _, _, folder in places]
    model = _describe(kept, read_info(places[0][2]).recipe)
    made = robustness_figures(protocol.labels, folds, model, "affectd-train " + repeatable(args))
    # Nothing is trained here, so the commit of the networks is that of P8.
    made |= {
        "scored": made["commit"],
        "commit": listed(fold.get("commit") for fold in kept),
    }
    file = args.results / "P10-joint.json"
    written = write_result(file, made)
    for name, row in made["conditions"].items():
        print(f"{name:>10}: UAR {row['uar']:.1%}  loss {100 * row['loss']:.1f} points")
    print(
        f"results: {file}"
        if written
        else f"results: not written, because {file} holds folds or seeds that this run lacks"
    )
    return 0


def _describe(kept: Sequence[dict[str, Any]], recipe: Recipe) -> dict[str, Any]:
    """Describe the model as `evaluate` does, from the results kept in the folds."""
    return {
        "name": recipe.network.shape,
        "features": recipe.features,
        "parameters": kept[0]["parameters"],
        "macs": kept[0]["macs"],
        "file_bytes": max(fold["file_bytes"] for fold in kept),
        "runtime": kept[0]["runtime"],
    }
