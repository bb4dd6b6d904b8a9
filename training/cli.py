"""`affectd-train`: from labelled speech to a network, and honest figures about it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from training.corpora import READERS, Clip, Corpus, CorpusError, Problem, read_corpus
from training.recipe import Recipe, RecipeError, load_recipe

# TensorFlow's own chatter would bury what the user is to read.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

_EX_USAGE, _EX_DATAERR = 64, 65
_SHOWN_PROBLEMS = 10

console = Console(stderr=True)


def main(argv: list[str] | None = None) -> int:
    """Entry point; the result is the exit code."""
    args = _parser().parse_args(argv)
    try:
        code: int = args.command(args)
    except (CorpusError, RecipeError) as error:
        console.print(f"affectd-train: {error}", style="red", highlight=False, soft_wrap=True, markup=False)
        return _EX_DATAERR
    except KeyboardInterrupt:
        console.print("stopped; the same command goes on from here")
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="affectd-train",
        description="Train emotion models on labelled speech, and measure them on people never heard before.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    fit = commands.add_parser(
        "fit",
        help="train one network",
        description="Train one network on all corpora given, under the seven labels of the shipped model or "
        "your own. A stopped run goes on where it stopped when the same command is given again. "
        "`affectd-convert RUN` then makes the model file.",
        epilog="example: affectd-train fit --corpus ravdess=~/RAVDESS --corpus csv=mine.csv --run runs/mine",
    )
    _common(fit)
    fit.add_argument(
        "--run", type=Path, default=Path("runs/fit"), help="folder of this run (default: %(default)s)"
    )
    fit.add_argument("--labels", help="comma-separated labels (default: the seven of the shipped model)")
    fit.set_defaults(command=_fit)
    evaluate = commands.add_parser(
        "evaluate",
        help="measure a recipe by a protocol",
        description="Train and score every fold of a protocol, and write the figures as JSON. Finished folds "
        "are kept: the same command again goes on where it stopped. See docs/accuracy.md for the protocols.",
        epilog="example: affectd-train evaluate --protocol P1 --corpus ravdess=~/RAVDESS --seeds 3",
    )
    _common(evaluate)
    evaluate.add_argument("--protocol", required=True, help="P1 to P6 (one corpus each) or P8 (all together)")
    evaluate.add_argument(
        "--seeds", type=int, default=1, help="runs of each fold, seeds 0, 1, … (default: 1)"
    )
    evaluate.add_argument(
        "--folds", help="comma-separated folds (default: all); fewer are said so in the result"
    )
    evaluate.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="folds side by side (default: cores)"
    )
    evaluate.add_argument(
        "--runs", type=Path, default=Path("runs"), help="folder of the runs (default: runs)"
    )
    evaluate.add_argument(
        "--results",
        type=Path,
        default=Path("benchmarks/results/accuracy"),
        help="folder of the JSON (default: %(default)s)",
    )
    evaluate.set_defaults(command=_evaluate)
    report = commands.add_parser("report", help="write docs/accuracy.md from the results")
    report.add_argument("--results", type=Path, default=Path("benchmarks/results/accuracy"))
    report.add_argument("--output", type=Path, default=Path("docs/accuracy.md"))
    report.add_argument(
        "--pages",
        type=Path,
        nargs="*",
        default=[Path("README.md"), Path("edge/models/MODEL_CARD.md")],
        help="pages between whose `accuracy` marks the table goes (default: README and model card)",
    )
    report.set_defaults(command=_report)
    return parser


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--corpus",
        action="append",
        required=True,
        metavar="KIND=PLACE",
        help=f"a corpus as it was unpacked; KIND is one of {', '.join(READERS)}; may be given again. "
        "csv: columns path, speaker, emotion, and if there corpus, language, fold, sex, licence",
    )
    parser.add_argument(
        "--recipe", type=Path, help="TOML with every choice of the training (default: the shipped)"
    )
    parser.add_argument(
        "--cache", type=Path, default=Path("cache"), help="folder of cached features (default: cache)"
    )


def _fit(args: argparse.Namespace) -> int:
    from training.features import FeatureCache  # noqa: PLC0415  # --help must not wait for what these import
    from training.fit import TrainingError, fit  # noqa: PLC0415
    from training.protocols import SHIPPED_LABELS, shipped_clips  # noqa: PLC0415

    recipe = load_recipe(args.recipe)
    corpus = _read(args.corpus)
    labels = tuple(args.labels.split(",")) if args.labels else SHIPPED_LABELS
    clips = [c for c in corpus.clips if c.emotion in labels] if args.labels else shipped_clips(corpus.clips)
    with _bars("clips") as bars:
        task = bars.add_task("features", total=len(clips), note="")
        cache = FeatureCache(args.cache, recipe.mfcc_config)
        examples, problems = cache.load(clips, lambda done, _: bars.update(task, completed=done))
    _tell(problems)
    try:
        with _bars("epochs") as bars:
            info = fit(examples, labels, recipe, args.run, _epochs(bars, recipe, args.run.name))
    except TrainingError as error:
        console.print(f"affectd-train: {error}", style="red", highlight=False, soft_wrap=True, markup=False)
        return _EX_DATAERR
    score = (
        "" if info.validation_uar is None else f", UAR {info.validation_uar:.1%} on its validation speakers"
    )
    print(f"{args.run}: epoch {info.best_epoch} of {info.epochs}{score}")
    print(f"next: affectd-convert {args.run}")
    return 0


def _evaluate(args: argparse.Namespace) -> int:
    from training.evaluate import evaluate, figures  # noqa: PLC0415
    from training.features import FeatureCache  # noqa: PLC0415
    from training.protocols import ProtocolError, plan  # noqa: PLC0415

    recipe = load_recipe(args.recipe)
    clips = _read(args.corpus).clips
    try:
        protocol = plan(args.protocol, clips, args.folds.split(",") if args.folds else None)
    except ProtocolError as error:
        console.print(f"affectd-train: {error}", style="red", highlight=False, soft_wrap=True, markup=False)
        return _EX_USAGE
    used: list[Clip] = list({c.path: c for s in protocol.splits for c in (*s.train, *s.test)}.values())
    with _bars("clips") as bars:
        task = bars.add_task("features", total=len(used), note="")
        cache = FeatureCache(args.cache, recipe.mfcc_config)
        _, problems = cache.load(used, lambda done, _: bars.update(task, completed=done))
    _tell(problems)
    with _bars("epochs") as bars:
        report = _epochs_by_name(bars, recipe)
        results = evaluate(protocol, recipe, range(args.seeds), args.runs, args.cache, args.jobs, report)
    made = figures(protocol, results, "affectd-train " + _repeatable(args))
    args.results.mkdir(parents=True, exist_ok=True)
    file = args.results / f"{protocol.name}-{protocol.form}.json"
    file.write_bytes(msgspec.json.format(msgspec.json.encode(made), indent=1))
    for kind in ("float", "int8"):
        low, high = made[kind]["uar_ci95"]
        print(f"{kind:>5}: UAR {made[kind]['uar']:.1%} [{low:.1%}, {high:.1%}]  WA {made[kind]['wa']:.1%}")
    print(f"results: {file}")
    return 0


def _report(args: argparse.Namespace) -> int:
    from training.report import fill_in, write_report  # noqa: PLC0415

    for page in args.pages:
        fill_in(page, args.results)
    print("wrote " + ", ".join(str(path) for path in write_report(args.results, args.output)))
    return 0


def _read(places: Sequence[str]) -> Corpus:
    corpus = Corpus()
    for place in places:
        kind, separator, path = place.partition("=")
        if not separator:
            raise CorpusError(f"--corpus {place}: say what it is, as in ravdess={place}")
        part = read_corpus(kind, Path(path).expanduser())
        console.print(f"{path}: {len(part.clips)} clips, {len(part.problems)} left out", highlight=False)
        corpus.extend(part)
    known: dict[Path, Clip] = {}
    for clip in corpus.clips:
        if known.setdefault(clip.path.resolve(), clip) is not clip:
            corpus.problems.append(Problem(str(clip.path), "given twice; the first counts"))
    corpus.clips = list(known.values())
    _tell(corpus.problems)
    return corpus


def _tell(problems: Sequence[Problem]) -> None:
    """Name the files that are left out, and why."""
    for problem in problems[:_SHOWN_PROBLEMS]:
        console.print(f"left out: {problem}", style="yellow", highlight=False, soft_wrap=True, markup=False)
    if len(problems) > _SHOWN_PROBLEMS:
        console.print(f"left out: {len(problems) - _SHOWN_PROBLEMS} more", style="yellow")


def _bars(unit: str) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=console,
    )


def _epochs(bars: Progress, recipe: Recipe, name: str) -> Any:
    report = _epochs_by_name(bars, recipe)
    return lambda epoch, loss, score: report(name, epoch, loss, score)


def _epochs_by_name(bars: Progress, recipe: Recipe) -> Any:
    """A bar for each run that reports itself."""
    tasks: dict[str, Any] = {}

    def report(name: str, epoch: int, loss: float, score: float | None) -> None:
        if name not in tasks:
            tasks[name] = bars.add_task(name, total=recipe.epochs, note="")
        note = f"loss {loss:.3f}" + ("" if score is None else f", validation UAR {score:.1%}")
        bars.update(tasks[name], completed=epoch, note=note)

    return report


def _repeatable(args: argparse.Namespace) -> str:
    """The command that gives the same figures, without the places of this machine."""
    words = ["evaluate", "--protocol", args.protocol, "--seeds", str(args.seeds)]
    words += ["--folds", args.folds] if args.folds else []
    words += ["--recipe", str(args.recipe)] if args.recipe else []
    for place in args.corpus:
        kind, _, path = place.partition("=")
        words += ["--corpus", f"{kind}=CORPORA/{Path(path).name}"]
    return " ".join(words)


if __name__ == "__main__":
    sys.exit(main())
