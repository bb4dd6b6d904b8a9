"""`affectd-train baseline`: measure other methods on the same clips and folds."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

import msgspec

from edge.quiet_stderr import quiet_stderr
from training.commands.common import (
    Commands,
    add_common,
    add_run_options,
    console,
    load_features,
    read_places,
    repeatable,
    tell,
)
from training.commands.evaluate import write_result
from training.fold_task import fold_tasks
from training.progress import clip_progress, epoch_progress
from training.recipe import load_recipe

if TYPE_CHECKING:
    from training.protocols import Protocol

CLASSICAL = ("egemaps-svm", "egemaps-svm-one-level", "level-svm", "librosa-mlp")
NETWORKS = {
    "light-sernet": "Three parallel convolutions, over time, over the coefficients and over both, then five "
    "more: the size and shape of LIGHT-SERNET (Aftab et al., 2022), written from its description.",
    "lstm": "Two LSTM layers over four frames at a time, and the mean over time. The file holds the layers "
    "unrolled, step by step: int8 has no loops.",
    "crnn": "Three convolutions, then one LSTM layer and the mean over time, unrolled likewise.",
}
_TRAINED = "In place of the recipe's network, with the same features, references, augmentation and batches."


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add this command to the command line."""
    parser = commands.add_parser(
        "baseline",
        help="measure a baseline with a protocol",
        description="Train and score another method on the clips and folds of a protocol: openSMILE eGeMAPS "
        "with an SVM (egemaps-svm), the same on recordings scaled to one RMS level (egemaps-svm-one-level), "
        "an SVM on the RMS level of each recording alone (level-svm), means of librosa features with a tuned "
        "MLP (librosa-mlp), or another network in place of the recipe's (light-sernet, lstm, crnn). Features "
        "and finished folds are kept, so an interrupted run resumes when you repeat the command. openSMILE "
        "and librosa need pip install '.[training,baselines]'.",
        epilog="example: affectd-train baseline egemaps-svm --protocol P2 --corpus emodb=~/emodb",
    )
    parser.add_argument("name", choices=[*CLASSICAL, *NETWORKS], metavar="NAME", help="which baseline")
    add_common(parser)
    parser.add_argument("--protocol", required=True, help="protocol, as for evaluate")
    add_run_options(parser, "benchmarks/results/accuracy/baselines")
    parser.set_defaults(command=run)


def run(args: argparse.Namespace) -> int:
    """Train and score what is not finished yet, write the figures, and print them."""
    from training.protocols import plan  # noqa: PLC0415

    protocol = plan(args.protocol, read_places(args.corpus).clips, args.folds)
    command = "affectd-train " + repeatable(args)
    measure = _classical if args.name in CLASSICAL else _network
    made = measure(args, protocol, command)
    file = args.results / f"{protocol.name}-{protocol.form}-{args.name}.json"
    written = write_result(file, made)
    for kind in ("float", "int8"):
        if made[kind]:
            print(f"{kind:>5}: UAR {made[kind]['uar']:.1%}  WA {made[kind]['wa']:.1%}")
    print(
        f"results: {file}"
        if written
        else f"results: not written, because {file} holds folds or seeds that this run lacks"
    )
    return 0


def _classical(args: argparse.Namespace, protocol: Protocol, command: str) -> dict[str, Any]:
    from training.baselines.classical import CLASSICAL as KNOWN  # noqa: PLC0415  # slow, as in `evaluate`
    from training.baselines.classical import run_classical  # noqa: PLC0415
    from training.baselines.vectors import load_vectors  # noqa: PLC0415

    with clip_progress(console) as show:
        vectors, problems = load_vectors(
            protocol.clips, KNOWN[args.name].extract, args.cache / args.name, args.jobs, show
        )
    tell(problems)
    return run_classical(
        args.name,
        protocol,
        vectors,
        range(args.seeds),
        command,
        lambda line: console.print(line, highlight=False, soft_wrap=True, markup=False),
    )


def _network(args: argparse.Namespace, protocol: Protocol, command: str) -> dict[str, Any]:
    recipe = load_recipe(args.recipe)
    network = msgspec.structs.replace(recipe.network, shape=args.name.replace("-", "_"), views=())
    recipe = msgspec.structs.replace(recipe, network=network)
    load_features(protocol.clips, args, recipe)
    with quiet_stderr("tensorflow"):
        from training.evaluate import evaluate  # noqa: PLC0415  # slow to import, as in `evaluate`
        from training.figures import figures  # noqa: PLC0415

    tasks = fold_tasks(protocol, recipe, range(args.seeds), args.runs / args.name, args.cache)
    with epoch_progress(console) as show:
        results = evaluate(tasks, args.jobs, show, args.log)
    made = figures(protocol, results, command, recipe)
    made["model"]["name"] = args.name
    return made | {"note": f"{NETWORKS[args.name]} {_TRAINED}"}
