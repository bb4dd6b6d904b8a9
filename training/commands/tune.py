"""`affectd-train tune`: a trained network goes on with clips of one's own."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from edge.quiet_stderr import quiet_stderr
from training.clips import Clip
from training.commands.common import (
    Commands,
    add_common,
    add_log,
    console,
    load_features,
    read_places,
)
from training.progress import epoch_progress
from training.recipe import load_recipe, shipped_recipes
from training.run_folder import check_folder, is_finished
from training.run_log import append_run
from training.support import check_places, check_speakers, check_support

if TYPE_CHECKING:
    from training.tune_report import TuneReport

_NAMED = 3
"""Speakers; of more, only how many there are is said"""


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Teach the command line this command."""
    tune = commands.add_parser(
        "tune",
        help="go on from a trained network with clips of your own",
        description="Tune a trained network on clips of your own, add a label to it, and say how it does "
        "before and after with people among them whom it has not heard: each group of speakers is left out "
        "once. A stopped run goes on where it stopped when the same command is given again. See "
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
        help="folder of a finished `affectd-train fit`, or of `make model`",
    )
    tune.add_argument(
        "--run", type=Path, default=Path("runs/tuned"), help="folder of this run (default: %(default)s)"
    )
    tune.add_argument(
        "--add-label",
        action="append",
        default=[],
        type=_label,
        metavar="NAME[=AROUSAL,VALENCE]",
        help="a label that the network does not have; arousal and valence, each -1 to 1, where it is no "
        "usual one; may be given again",
    )
    tune.add_argument(
        "--one-speaker", action="store_true", help="tune even to a single person; worse for others, perhaps"
    )
    add_log(tune)
    tune.set_defaults(command=run)


def _label(text: str) -> tuple[str, tuple[float, float] | None]:
    """A label and its place, as the type of an argument."""
    name, given, place = text.partition("=")
    name = name.strip().lower()
    if not name.isidentifier():
        raise argparse.ArgumentTypeError(f"{name!r} is no word to name an emotion by")
    if not given:
        return name, None
    try:
        arousal, valence = (float(number) for number in place.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{place!r} is not arousal,valence such as 0.8,0.6") from None
    if not (-1.0 <= arousal <= 1.0 and -1.0 <= valence <= 1.0):
        raise argparse.ArgumentTypeError(f"{place}: arousal and valence are -1 to 1")
    return name, (arousal, valence)


def run(args: argparse.Namespace) -> int:
    """Tune, and say what it is worth and what comes next."""
    with quiet_stderr("tensorflow"):
        from training.base import read_base  # noqa: PLC0415  # seconds, as in `fit`
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
    clips = _usable(corpus.clips, (*base.labels, *added))
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


def _usable(clips: Sequence[Clip], labels: Sequence[str]) -> list[Clip]:
    """Those under the network's labels; calm counts as neutral where it is none. The others are told of."""
    renamed = [
        replace(clip, emotion="neutral") if clip.emotion == "calm" and "calm" not in labels else clip
        for clip in clips
    ]
    strange = Counter(clip.emotion for clip in renamed if clip.emotion not in labels)
    for label, count in strange.items():
        text = f"left out: {count} clips of {label}, which the network does not know; see --add-label"
        console.print(text, style="yellow", highlight=False, soft_wrap=True, markup=False)
    return [clip for clip in renamed if clip.emotion in labels]


def say(report: TuneReport) -> None:
    """Print a report: who was judged, what was gained, and whether anything can be told of it."""
    print(f"{report.clips} clips of {report.speakers} speakers")
    if report.heard_before:
        _say_known(report.heard_before)
    if report.per_speaker:
        print(f"{len(report.per_speaker)} of them are judged, by networks that had not heard them:")
    if report.before_uar is not None and report.after_uar is not None and report.gain_ci95 is not None:
        low, high = report.gain_ci95
        print(f"{'':>10} before  after")
        print(
            f"{'UAR':>10} {report.before_uar:6.1%} {report.after_uar:6.1%}   "
            f"gain {100 * (report.after_uar - report.before_uar):+.1f} points "
            f"[{100 * low:+.1f}, {100 * high:+.1f}]"
        )
        for label, (count, before, after) in report.per_label.items():
            print(f"{label:>10} {before:6.1%} {after:6.1%}   of {count} clips")
    print(report.verdict)
    if report.without_clips:
        print(f"no clip of {', '.join(report.without_clips)}: these may be answered less often than before")


def _say_known(speakers: Sequence[str]) -> None:
    names = ", ".join(speakers[:_NAMED]) + (" and others" if len(speakers) > _NAMED else "")
    print(
        f"{len(speakers)} of them the network had heard before it was tuned, so nothing is judged by them: "
        f"{names} (whoever has such a name by chance needs another)"
    )
