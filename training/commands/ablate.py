"""`affectd-train ablate`: measure what each setting of a recipe contributes."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from edge.quiet_stderr import quiet_stderr
from training.commands.common import (
    Commands,
    add_corpus,
    add_log,
    console,
    load_features,
    places_of,
    read_places,
    whole,
    words,
)
from training.fold_task import fold_tasks
from training.progress import epoch_progress
from training.recipe import load_recipe, recipe_file
from training.run_folder import read_if_whole, write_whole


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add this command to the command line."""
    ablate = commands.add_parser(
        "ablate",
        help="measure what each setting of a recipe contributes",
        description="Train variants of one recipe on the same folds and seeds, and compare each with the "
        "unchanged recipe. The gain is measured on validation speakers; the figure of the test speakers is "
        "reported beside it. The plan is a TOML file such as benchmarks/ablation.toml. Finished folds are "
        "kept and the table is rewritten after every variant, so an interrupted run resumes when you repeat "
        "the command.",
        epilog="example: affectd-train ablate benchmarks/ablation.toml --corpus ravdess=~/RAVDESS",
    )
    ablate.add_argument(
        "plan", type=Path, metavar="PLAN", help="TOML file with the protocol, its folds and the variants"
    )
    add_corpus(ablate)
    ablate.add_argument("--only", type=words, help="comma-separated names of variants (default: all)")
    ablate.add_argument(
        "--jobs",
        type=whole,
        default=os.cpu_count() or 1,
        help="folds to train in parallel (default: number of cores)",
    )
    ablate.add_argument("--runs", type=Path, default=Path("runs"), help="folder for the runs (default: runs)")
    ablate.add_argument(
        "--output",
        type=Path,
        default=Path("benchmarks/results/ablation.json"),
        help="file for the table, JSON (default: %(default)s)",
    )
    add_log(ablate)
    ablate.set_defaults(command=run)


def run(args: argparse.Namespace) -> int:
    """Train what is not finished yet; write and print a row for each variant."""
    with quiet_stderr("tensorflow"):
        from training import ablation  # noqa: PLC0415  # slow to import, as in `fit`
        from training.evaluate import evaluate  # noqa: PLC0415
        from training.protocols import plan as protocol_of  # noqa: PLC0415

    plan = ablation.load_plan(args.plan)
    change = {**plan.change, "validation_speakers": plan.validation_speakers}
    base = ablation.changed(
        load_recipe(recipe_file(plan.recipe) if plan.recipe else None), change, str(args.plan)
    )
    variants = ablation.chosen(plan, args.only, str(args.plan))
    # All are checked before the first is trained: an error in the last would otherwise show after hours.
    recipes = [ablation.changed(base, v.change, f"{args.plan}: {v.name}") for v in variants]
    protocol = protocol_of(plan.protocol, read_places(args.corpus).clips, plan.folds)
    command = " ".join(["affectd-train ablate", _named(args.plan), *places_of(args.corpus)])
    rows: list[dict[str, Any]] = []
    before = read_if_whole(args.output, dict[str, Any])
    of_base = None
    for variant, recipe in zip(variants, recipes, strict=True):
        load_features(protocol.clips, args, recipe)
        # The new name gives each variant's runs a folder of their own: ablation-SLUG under --runs.
        named = replace(protocol, name="ablation", form=variant.slug, new_voices_alone=True)
        with epoch_progress(console) as tell:
            results = evaluate(
                fold_tasks(named, recipe, range(plan.seeds), args.runs, args.cache),
                args.jobs,
                lambda name, done, of=variant.name: tell(f"{of} {name}", done),  # type: ignore[misc]  # the default
                args.log,
            )
        rows.append(ablation.row(variant, results, of_base))
        of_base = of_base or results
        args.output.parent.mkdir(parents=True, exist_ok=True)
        made = ablation.ablation_result(plan, rows, command, before)
        write_whole(args.output, msgspec.json.format(msgspec.json.encode(made), indent=1))
        _say(rows[-1])
    print(f"results: {args.output}")
    return 0


def _named(plan: Path) -> str:
    """The plan as it was given, unless that is a path of this machine."""
    return plan.name if plan.is_absolute() else plan.as_posix()


def _say(row: dict[str, Any]) -> None:
    text = f"{row['name']:>24}: validation UAR {row['validation_uar']:.1%}, test {row['test_uar']:.1%}"
    if "validation_gain" in row:
        spread = row["validation_spread"]
        text += f", gain {100 * row['validation_gain']:+.1f} points"
        text += "" if spread is None else f" (standard deviation {100 * spread:.1f})"
    print(text, flush=True)
