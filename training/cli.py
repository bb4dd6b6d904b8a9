"""`affectd-train`: from labelled speech to a network, and honest figures about it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import msgspec
from rich.console import Console

from edge.errors import AffectdError
from edge.quiet_stderr import quiet_stderr
from training.corpora import READERS, Clip, Corpus, CorpusError, Problem, read_corpus
from training.errors import WorkbenchError
from training.progress import clip_progress, epoch_progress
from training.recipe import Recipe, load_recipe

if TYPE_CHECKING:
    from training.features import Example

# TensorFlow's own chatter would bury what the user is to read.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

_EX_USAGE, _EX_UNAVAILABLE, _EX_IOERR = 64, 69, 74
_SHOWN_PROBLEMS = 10

console = Console(stderr=True)


class _Parser(argparse.ArgumentParser):
    """An argument parser that ends with the exit code of sysexits."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(_EX_USAGE, f"{self.prog}: {message}; see {self.prog} --help\n")


def main(argv: list[str] | None = None) -> int:
    """Entry point; the result is the exit code."""
    args = _parser().parse_args(argv)
    try:
        code: int = args.command(args)
    except (WorkbenchError, AffectdError) as error:
        return _fail(str(error), error.exit_code)
    except BrokenProcessPool:
        return _fail("a process was killed, perhaps for want of memory: try fewer --jobs", _EX_UNAVAILABLE)
    except OSError as error:
        return _fail(f"{error}; see --run, --runs, --cache and --results", _EX_IOERR)
    except KeyboardInterrupt:
        console.print("stopped; the same command goes on from here")
        return 130
    return code


def _fail(message: str, code: int) -> int:
    console.print(f"affectd-train: {message}", style="red", highlight=False, soft_wrap=True, markup=False)
    return code


def _whole(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(","))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="affectd-train",
        description="Train emotion models on labelled speech, and measure them on people never heard before.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)
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
    fit.add_argument(
        "--labels", type=_words, help="comma-separated labels (default: the seven of the shipped model)"
    )
    fit.set_defaults(command=_fit)
    evaluate = commands.add_parser(
        "evaluate",
        help="measure a recipe by a protocol",
        description="Train and score every fold of a protocol, and write the figures as JSON. Finished folds "
        "are kept: the same command again goes on where it stopped. See docs/accuracy.md for the protocols.",
        epilog="example: affectd-train evaluate --protocol P1 --corpus ravdess=~/RAVDESS --seeds 3",
    )
    _common(evaluate)
    evaluate.add_argument(
        "--protocol",
        required=True,
        help="P1 to P6 (one corpus each), P7 (RAVDESS speech and song, random split: the test speakers are "
        "heard in training), P8 (all together) or P9 (each of six corpora left out in turn)",
    )
    evaluate.add_argument(
        "--seeds", type=_whole, default=1, help="runs of each fold, seeds 0, 1, … (default: 1)"
    )
    evaluate.add_argument(
        "--folds", type=_words, help="comma-separated folds (default: all); fewer are said so in the result"
    )
    evaluate.add_argument(
        "--jobs", type=_whole, default=os.cpu_count() or 1, help="folds side by side (default: cores)"
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
    from training.protocols import SHIPPED_LABELS, shipped_clips  # noqa: PLC0415

    recipe = load_recipe(args.recipe)
    corpus = _read(args.corpus)
    labels = args.labels or SHIPPED_LABELS
    clips = [c for c in corpus.clips if c.emotion in labels] if args.labels else shipped_clips(corpus.clips)
    examples = _features(clips, args, recipe)
    with quiet_stderr("tensorflow"):
        from training.fit import fit  # noqa: PLC0415  # takes seconds: not for --help, nor to find no corpus

    with epoch_progress(console, recipe.epochs) as tell:
        info = fit(
            examples,
            labels,
            recipe,
            args.run,
            lambda epoch, loss, score: tell(args.run.name, epoch, loss, score),
        )
    score = (
        "" if info.validation_uar is None else f", UAR {info.validation_uar:.1%} on its validation speakers"
    )
    print(f"{args.run}: epoch {info.best_epoch} of {info.epochs}{score}")
    print(f"next: affectd-convert {args.run}")
    return 0


def _evaluate(args: argparse.Namespace) -> int:
    from training.protocols import plan  # noqa: PLC0415

    recipe = load_recipe(args.recipe)
    protocol = plan(args.protocol, _read(args.corpus).clips, args.folds)
    used: list[Clip] = list({c.path: c for s in protocol.splits for c in (*s.train, *s.test)}.values())
    _features(used, args, recipe)
    with quiet_stderr("tensorflow"):
        from training.evaluate import evaluate, figures  # noqa: PLC0415  # takes seconds, as in `_fit`

    with epoch_progress(console, recipe.epochs) as tell:
        results = evaluate(protocol, recipe, range(args.seeds), args.runs, args.cache, args.jobs, tell)
    made = figures(protocol, results, "affectd-train " + _repeatable(args))
    args.results.mkdir(parents=True, exist_ok=True)
    file = args.results / f"{protocol.name}-{protocol.form}.json"
    file.write_bytes(msgspec.json.format(msgspec.json.encode(made), indent=1))
    for kind in ("float", "int8"):
        low, high = made[kind]["uar_ci95"]
        print(f"{kind:>5}: UAR {made[kind]['uar']:.1%} [{low:.1%}, {high:.1%}]  WA {made[kind]['wa']:.1%}")
    if protocol.speaker_dependent:
        print("speaker-dependent: the people of the test were heard in training; expect far less of new ones")
    print(f"results: {file}")
    return 0


def _features(clips: Sequence[Clip], args: argparse.Namespace, recipe: Recipe) -> list[Example]:
    from training.features import FeatureCache  # noqa: PLC0415

    cache = FeatureCache(args.cache, recipe.mfcc_config)
    with clip_progress(console) as tell:
        examples, problems = cache.load(clips, tell)
    _tell(problems)
    return examples


def _report(args: argparse.Namespace) -> int:
    from training.report import fill_in, write_report  # noqa: PLC0415

    written = write_report(args.results, args.output)
    for page in args.pages:
        if fill_in(page, args.results):
            written.append(page)
    print("wrote " + ", ".join(map(str, written)))
    return 0


def _read(places: Sequence[str]) -> Corpus:
    corpus = Corpus()
    for place in places:
        kind, separator, path = place.partition("=")
        if not separator:
            raise CorpusError(f"--corpus {place}: say what it is, as in ravdess={place}")
        part = read_corpus(kind, Path(path).expanduser())
        counts = f"{path}: {len(part.clips)} clips, {len(part.problems)} left out"
        console.print(counts, highlight=False, soft_wrap=True, markup=False)
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
        console.print(f"left out: {len(problems) - _SHOWN_PROBLEMS} more", style="yellow", highlight=False)


def _repeatable(args: argparse.Namespace) -> str:
    """The command that gives the same figures, without the places of this machine."""
    words = ["evaluate", "--protocol", args.protocol, "--seeds", str(args.seeds)]
    words += ["--folds", ",".join(args.folds)] if args.folds else []
    if args.recipe:
        inside = args.recipe.is_absolute() and args.recipe.is_relative_to(Path.cwd())
        words += ["--recipe", str(args.recipe.relative_to(Path.cwd()) if inside else args.recipe)]
    for place in args.corpus:
        kind, _, path = place.partition("=")
        words += ["--corpus", f"{kind}=CORPORA/{Path(path).name}"]
    return " ".join(words)


if __name__ == "__main__":
    sys.exit(main())
