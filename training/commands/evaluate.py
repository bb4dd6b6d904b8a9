"""`affectd-train evaluate`: measure a recipe with a protocol."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import msgspec

from edge.quiet_stderr import quiet_stderr
from training.adaptation import HEADLINE
from training.commands.common import (
    Commands,
    add_common,
    add_run_options,
    console,
    load_features,
    read_places,
    repeatable,
)
from training.fold_task import fold_tasks
from training.progress import epoch_progress
from training.protocols import MULTI, THROUGH_NOISE, plan
from training.recipe import load_recipe
from training.run_folder import write_whole


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add this command to the command line."""
    evaluate = commands.add_parser(
        "evaluate",
        help="measure a recipe with a protocol",
        description="Train and score every fold of a protocol, and write the figures as JSON. Finished folds "
        "are kept, so an interrupted run resumes when you repeat the command. docs/accuracy.md describes the "
        "protocols.",
        epilog="example: affectd-train evaluate --protocol P1 --corpus ravdess=~/RAVDESS --seeds 3",
    )
    add_common(evaluate)
    evaluate.add_argument(
        "--protocol",
        required=True,
        help="P1 to P6 (one corpus each), P7 (RAVDESS speech and song, random split: the test speakers are "
        "also heard in training), P8 (all corpora together), P9 (each of six corpora left out in turn) or "
        "P10 (no training: scores the finished folds of P8 under --runs in noise, in rooms and through "
        "microphones)",
    )
    evaluate.add_argument(
        "--form",
        choices=("in", MULTI),
        default="in",
        help="for P1 to P6: train on that corpus only (in), or start from the networks of P9 under --runs, "
        "which have heard all other corpora (multi); default: in. The forms adapt and enrol are reported "
        "with in only",
    )
    add_run_options(evaluate, "benchmarks/results/accuracy")
    evaluate.add_argument(
        "--base",
        type=Path,
        metavar="FOLDER",
        help="start each fold from the finished run of the same seed and fold in this folder, for instance "
        "runs/P8-joint; give another --runs folder for the new runs",
    )
    evaluate.add_argument(
        "--teachers",
        type=Path,
        nargs="+",
        default=[],
        metavar="FOLDER",
        help="each fold also learns from the outputs of the finished runs of the same seed and fold in these "
        "folders; the recipe sets how much (taught)",
    )
    evaluate.add_argument(
        "--train-only",
        action="store_true",
        help="train the folds without scoring them, for a machine with a GPU and a Keras backend other than "
        "TensorFlow; the same command without this option, with the same --runs, then scores them",
    )
    evaluate.set_defaults(command=run)


def run(args: argparse.Namespace) -> int:
    """Train and score what is not finished yet, write the figures, and print them."""
    if args.protocol == THROUGH_NOISE:
        from training.commands import robustness  # noqa: PLC0415  # it imports this file

        return robustness.run(args)
    recipe = load_recipe(args.recipe)
    protocol = plan(args.protocol, read_places(args.corpus).clips, args.folds, args.form == MULTI)
    load_features(protocol.clips, args, recipe)
    tasks = fold_tasks(protocol, recipe, range(args.seeds), args.runs, args.cache, args.base, args.teachers)
    if args.train_only:
        from training.evaluate import train_folds  # noqa: PLC0415  # slow to import, as below

        with epoch_progress(console) as tell:
            train_folds(tasks, args.jobs, tell)
        print(f"{args.runs}: trained; the same command without --train-only scores them")
        return 0
    with quiet_stderr("tensorflow"):
        from training.evaluate import evaluate  # noqa: PLC0415  # slow to import, as in `fit`
        from training.figures import figures, history_figures  # noqa: PLC0415

    with epoch_progress(console) as tell:
        results = evaluate(tasks, args.jobs, tell, args.log)
    command = "affectd-train " + repeatable(args)
    made = [figures(protocol, results, command, recipe)]
    if protocol.with_histories:
        made += [history_figures(protocol, results, command, recipe, form) for form in HEADLINE]
    for form in made:
        _publish(form, args.results)
    if protocol.speaker_dependent:
        print("speaker-dependent: the test speakers were heard in training; new speakers score far lower")
    return 0


def _publish(made: dict[str, Any], results: Path) -> None:
    """Write one form's figures and print them."""
    print(f"{made['protocol']} {made['form']}" + (f", k = {made['k']}" if "k" in made else ""))
    for kind in ("float", "int8"):
        low, high = made[kind]["uar_ci95"]
        print(f"{kind:>7}: UAR {made[kind]['uar']:.1%} [{low:.1%}, {high:.1%}]  WA {made[kind]['wa']:.1%}")
    file = results / f"{made['protocol']}-{made['form']}.json"
    if write_result(file, made):
        print(f"results: {file}")
        return
    console.print(
        f"{file} holds folds or seeds that this run lacks, so it is not overwritten: give another folder as "
        "--results, or remove the file",
        style="yellow", highlight=False, soft_wrap=True, markup=False,
    )  # fmt: skip
    print("results: not written")


def write_result(file: Path, made: dict[str, Any]) -> bool:
    """Write figures as JSON; False, without writing, if folds or seeds in the file would be lost."""
    if file.exists():
        kept = msgspec.json.decode(file.read_bytes())
        if not _covered(kept) <= _covered(made):
            return False
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, msgspec.json.format(msgspec.json.encode(made), indent=1))
    return True


def _covered(result: dict[str, Any]) -> set[tuple[int, int]]:
    return {(row["seed"], row["fold"]) for row in result["per_fold"]}
