"""`affectd-train tune`: fine-tune a trained network on your own clips."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from edge.quiet_stderr import quiet_stderr
from training.commands.common import (
    Commands,
    add_common,
    add_log,
    console,
    load_features,
    read_places,
    with_labels,
)
from training.progress import epoch_progress
from training.recipe import load_recipe, shipped_recipes
from training.run_folder import check_folder, is_finished
from training.run_log import append_run
from training.support import check_places, check_speakers, check_support

if TYPE_CHECKING:
    from training.tune_report import TuneReport

_NAMED = 3
"""Most speakers that a message names"""


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add this command to the command line."""
    tune = commands.add_parser(
        "tune",
        help="fine-tune a trained network on your own clips",
        description="Fine-tune a trained network on your own clips, optionally with additional labels. To "
        "compare the network before and after on speakers it has not heard, each group of your speakers is "
        "left out of the tuning once. An interrupted run resumes when you repeat the command. See "
        "docs/training.md.",
        epilog="example: affectd-train tune --from runs/shipped --corpus csv=site.csv --run runs/site "
        "--add-label excited=0.8,0.6",
    )
    add_common(tune, shipped_recipes()["tune"])
    tune.add_argument(
        "--from",
        dest="base",
        type=Path,
        required=True,
        metavar="RUN",
        help="run folder of a finished `affectd-train fit`, or of `make model`",
    )
    tune.add_argument(
        "--run", type=Path, default=Path("runs/tuned"), help="folder for this run (default: %(default)s)"
    )
    tune.add_argument(
        "--add-label",
        action="append",
        default=[],
        type=_label,
        metavar="NAME[=AROUSAL,VALENCE]",
        help="a label to add to the network; arousal and valence, each -1 to 1, are needed unless affectd "
        "knows the label, such as boredom; repeat the option for more labels",
    )
    tune.add_argument(
        "--one-speaker",
        action="store_true",
        help="allow all clips, or all clips of a new label, to be of a single speaker; the result may be "
        "worse for everybody else",
    )
    add_log(tune)
    tune.set_defaults(command=run)


def _label(text: str) -> tuple[str, tuple[float, float] | None]:
    """A label and, if given, its position on the circumplex, as the type of an argument."""
    name, given, place = text.partition("=")
    name = name.strip().lower()
    if not name.isidentifier():
        raise argparse.ArgumentTypeError(
            f"{name!r} is not a label: use letters, digits and underscores, and begin with a letter"
        )
    if not given:
        return name, None
    try:
        arousal, valence = (float(number) for number in place.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{place!r} is not arousal,valence: give two numbers such as 0.8,0.6"
        ) from None
    if not (-1.0 <= arousal <= 1.0 and -1.0 <= valence <= 1.0):
        raise argparse.ArgumentTypeError(f"{place}: arousal and valence must be from -1 to 1")
    return name, (arousal, valence)


def run(args: argparse.Namespace) -> int:
    """Fine-tune, and print the report and the next command."""
    with quiet_stderr("tensorflow"):
        from training.base import read_base  # noqa: PLC0415  # slow to import, as in `fit`
        from training.tune import recipe_from, tune  # noqa: PLC0415

    check_folder(args.run)
    base, recipe = read_base(args.base).info, load_recipe(args.recipe)
    places = {**recipe.circumplex, **{name: place for name, place in args.add_label if place is not None}}
    recipe = msgspec.structs.replace(
        recipe, circumplex=places, one_speaker=recipe.one_speaker or args.one_speaker
    )
    corpus = read_places(args.corpus, [name for name, _ in args.add_label])
    added = [name for name, _ in args.add_label if name not in base.labels]
    check_places(added, places)
    clips = with_labels(corpus.clips, (*base.labels, *added), "--add-label")
    check_support(clips, (*base.labels, *added), base.labels, recipe.one_speaker)
    recipe = recipe_from(base.recipe, recipe)
    check_speakers(clips, recipe)
    examples = load_features(clips, args, recipe)
    is_new = not is_finished(args.run)
    with epoch_progress(console) as tell:
        info, report = tune(args.base, examples, added, recipe, args.run, tell)
    if is_new:
        append_run(args.log, commit=info.commit, protocol="tune", recipe=info.recipe, seconds=info.seconds)
    say(report)
    print(f"next: affectd-convert {args.run}")
    return 0


def say(report: TuneReport) -> None:
    """Print a report: who was tested, the gain, and the verdict."""
    print(f"{report.clips} clips of {report.speakers} speakers")
    if report.heard_before:
        _say_known(report.heard_before)
    if report.alone_with_a_label:
        print(
            f"not tested, since nobody else has clips of a new label: {', '.join(report.alone_with_a_label)}"
        )
    if report.per_speaker:
        print(f"{len(report.per_speaker)} of them are tested, with networks that have not heard them:")
    if report.per_label:
        print(f"{'':>10} before  after")
    if report.before_uar is not None and report.after_uar is not None and report.gain_ci95 is not None:
        low, high = report.gain_ci95
        print(
            f"{'UAR':>10} {report.before_uar:6.1%} {report.after_uar:6.1%}   "
            f"gain {100 * (report.after_uar - report.before_uar):+.1f} points "
            f"[{100 * low:+.1f}, {100 * high:+.1f}]"
        )
    for label, (count, before, after) in report.per_label.items():
        new = ", new: not in the UAR" if label in report.new_labels else ""
        print(f"{label:>10} {before:6.1%} {after:6.1%}   of {count} clips{new}")
    print(report.verdict)
    if report.without_clips:
        print(f"no clip of {', '.join(report.without_clips)}: these may be predicted less often than before")


def _say_known(speakers: Sequence[str]) -> None:
    names = ", ".join(speakers[:_NAMED]) + (" and others" if len(speakers) > _NAMED else "")
    print(
        f"{len(speakers)} of them had been heard by the network before tuning, so they are not tested: "
        f"{names} (if one of them is another person of the same name, change the name)"
    )
