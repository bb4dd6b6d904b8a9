"""`affectd-train fit`: train one network."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from edge.quiet_stderr import quiet_stderr
from training.commands.common import (
    Commands,
    add_common,
    add_log,
    console,
    load_features,
    read_places,
    with_labels,
    words,
)
from training.progress import epoch_progress
from training.recipe import Recipe, load_recipe
from training.run_folder import check_folder, is_finished
from training.run_log import append_run
from training.support import check_places, check_support
from training.validation_speakers import validation_speakers


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add this command to the command line."""
    fit = commands.add_parser(
        "fit",
        help="train one network",
        description="Train one network on all the corpora given, with the seven labels of the shipped model "
        "or labels of your own. An interrupted run resumes when you repeat the command. "
        "`affectd-convert RUN` then makes the model file.",
        epilog="example: affectd-train fit --corpus ravdess=~/RAVDESS --corpus csv=mine.csv --run runs/mine",
    )
    add_common(fit)
    fit.add_argument(
        "--run", type=Path, default=Path("runs/fit"), help="folder for this run (default: %(default)s)"
    )
    fit.add_argument(
        "--labels",
        type=lambda text: words(text.lower()),
        help="comma-separated labels (default: the seven of the shipped model)",
    )
    fit.add_argument(
        "--base",
        type=Path,
        metavar="RUN",
        help="start from the weights of this finished run; its network (views aside), front end and window "
        "length must be those of the recipe",
    )
    fit.add_argument(
        "--teachers",
        type=Path,
        nargs="+",
        default=[],
        metavar="RUN",
        help="also learn from the outputs of these finished runs; the recipe sets how much (taught)",
    )
    add_log(fit)
    fit.set_defaults(command=run)


def run(args: argparse.Namespace) -> int:
    """Train, and print the result and the next command."""
    from training.protocols import SHIPPED_LABELS  # noqa: PLC0415

    recipe = load_recipe(args.recipe)
    check_folder(args.run)
    corpus = read_places(args.corpus, args.labels or ())
    labels = args.labels or SHIPPED_LABELS
    check_places(labels, recipe.circumplex)
    clips = with_labels(corpus.clips, labels, "--labels")
    known, trained_on = _builds_on(args, recipe, labels)
    check_support(clips, labels, known, recipe.one_speaker)
    if not is_finished(args.run):
        # For its errors: that nobody can be held out is said before the features are computed.
        validation_speakers(clips, recipe, trained_on)
    examples = load_features(clips, args, recipe)
    with quiet_stderr("tensorflow"):
        # Takes seconds, which --help and an error in the corpora should not have to wait for.
        from training.fit import fit  # noqa: PLC0415

    is_new = not is_finished(args.run)
    with epoch_progress(console) as tell:
        info = fit(
            examples,
            labels,
            recipe,
            args.run,
            lambda done: tell(args.run.name, done),
            args.base,
            _say_how_long,
            teachers=args.teachers,
        )
    if is_new:
        append_run(
            args.log,
            commit=info.commit,
            protocol="fit",
            recipe=info.recipe,
            validation_uar=info.validation_uar,
            seconds=info.seconds,
        )
    score = (
        "" if info.validation_uar is None else f", UAR {info.validation_uar:.1%} on its validation speakers"
    )
    print(f"{args.run}: kept epoch {info.best_epoch} of {info.epochs}{score}")
    print(f"next: affectd-convert {args.run}")
    return 0


def _builds_on(
    args: argparse.Namespace, recipe: Recipe, labels: Sequence[str]
) -> tuple[Sequence[str], set[str] | None]:
    """Labels of the run to start from, and whom it and the teachers were trained on; checks that they fit."""
    if not (args.base or args.teachers or recipe.base_share or recipe.taught):
        return (), set()
    with quiet_stderr("tensorflow"):
        from training.fit import run_before  # noqa: PLC0415  # slow to import, as in `run`
        from training.teachers import teachers_for  # noqa: PLC0415
        from training.unheard import speakers_trained_on  # noqa: PLC0415
    teachers = teachers_for(recipe, labels, args.teachers)
    known = run_before(recipe, args.base)
    runs = [*([known.info] if known else []), *(teachers.infos if teachers else ())]
    return known.info.labels if known else (), speakers_trained_on(runs)


def _say_how_long(batches: int, seconds: float) -> None:
    """Print an estimate from the speed of the first batches; other load on the machine may slow it down."""
    time = f"{seconds / 60:.0f} min" if seconds < 2 * 3600 else f"{seconds / 3600:.1f} h"
    console.print(
        f"{batches} batches left, {batches / max(seconds, 1e-3):.1f} per second: about {time}",
        highlight=False,
    )
