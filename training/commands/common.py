"""What the commands of `affectd-train` share: arguments, reading corpora, loading features, messages."""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from rich.console import Console

from training.clips import Clip, Corpus, CorpusError, Problem
from training.corpora import READERS, read_corpus
from training.progress import clip_progress
from training.recipe import Recipe, recipe_file, shipped_recipes
from training.run_log import RUNS

if TYPE_CHECKING:
    from training.features import Example

_EX_USAGE = 64
_SHOWN_PROBLEMS = 10

console = Console(stderr=True)

Commands = argparse._SubParsersAction  # argparse gives it no public name


class Parser(argparse.ArgumentParser):
    """An argument parser that exits with the code EX_USAGE of sysexits."""

    def error(self, message: str) -> NoReturn:
        """Print what is wrong with the arguments, and exit."""
        self.print_usage(sys.stderr)
        self.exit(_EX_USAGE, f"{self.prog}: {message}; see {self.prog} --help\n")


def whole(text: str) -> int:
    """A whole number above 0, as the type of an argument."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def words(text: str) -> tuple[str, ...]:
    """Comma-separated words, as the type of an argument."""
    return tuple(word.strip() for word in text.split(","))


def add_common(parser: argparse.ArgumentParser, recipe: Path | None = None) -> None:
    """Add the arguments of every command that trains one recipe: corpora, cache and the recipe."""
    add_corpus(parser)
    parser.add_argument(
        "--recipe",
        type=recipe_file,
        default=recipe,
        help=f"TOML file with the settings of the training, or the name of a recipe that comes with affectd: "
        f"{', '.join(shipped_recipes())} (default: {recipe.stem if recipe else 'the built-in settings'})",
    )


def add_corpus(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say where the clips are and where their features are cached."""
    parser.add_argument(
        "--corpus",
        action="append",
        required=True,
        metavar="KIND=PLACE",
        help=f"a corpus as it was unpacked; KIND is one of {', '.join(READERS)}; repeat the option for more "
        "corpora. csv: a table with the columns path, speaker, emotion and, optionally, corpus, language, "
        "fold, sex, licence; manifest is the same as csv",
    )
    parser.add_argument(
        "--cache", type=Path, default=Path("cache"), help="folder for cached features (default: cache)"
    )


def add_run_options(parser: argparse.ArgumentParser, results: str) -> None:
    """Add the arguments that say which folds and seeds to run, and where runs and results go."""
    parser.add_argument(
        "--seeds", type=whole, default=1, help="number of runs of each fold, with seeds 0, 1, … (default: 1)"
    )
    parser.add_argument(
        "--folds",
        type=words,
        help="comma-separated folds (default: all); the result names those that were run",
    )
    parser.add_argument(
        "--jobs",
        type=whole,
        default=os.cpu_count() or 1,
        help="folds to train in parallel (default: number of cores)",
    )
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder for the runs (default: runs)")
    add_log(parser)
    parser.add_argument(
        "--results",
        type=Path,
        default=Path(results),
        help="folder for the results, JSON (default: %(default)s)",
    )


def add_log(parser: argparse.ArgumentParser) -> None:
    """Add the argument that says where finished trainings are logged."""
    parser.add_argument(
        "--log", type=Path, default=RUNS, help="log of all runs, as JSON lines (default: %(default)s)"
    )


def load_features(clips: Sequence[Clip], args: argparse.Namespace, recipe: Recipe) -> list[Example]:
    """Load the features of the usable clips, and print which clips are left out.

    Raises:
        CorpusError: when no clip can be used.
    """
    from training.features import FeatureCache  # noqa: PLC0415

    cache = FeatureCache(args.cache, recipe.mfcc_config)
    with clip_progress(console) as show:
        examples, problems = cache.load(clips, show)
    tell(problems)
    if problems and not examples:
        raise CorpusError(f"none of the {len(clips)} clips could be read: {problems[0]}")
    return examples


def read_places(places: Sequence[str], own_labels: Sequence[str] = ()) -> Corpus:
    """Read the corpora of the `--corpus` arguments as one, and print what is left out.

    Args:
        places: the arguments.
        own_labels: labels that a CSV may use besides the usual ones.

    Raises:
        CorpusError: when one of them cannot be used.
    """
    corpus = Corpus()
    for place in places:
        kind, separator, path = place.partition("=")
        if not separator:
            raise CorpusError(f"--corpus {place}: give its kind too, as in ravdess={place}")
        part = read_corpus(kind, Path(path).expanduser(), own_labels)
        counts = f"{path}: {len(part.clips)} clips, {len(part.problems)} left out"
        console.print(counts, highlight=False, soft_wrap=True, markup=False)
        corpus.extend(part)
    known: dict[Path, Clip] = {}
    for clip in corpus.clips:
        if known.setdefault(clip.path.resolve(), clip) is not clip:
            corpus.problems.append(Problem(str(clip.path), "given twice; only the first is used"))
    corpus.clips = list(known.values())
    tell(corpus.problems)
    return corpus


def with_labels(clips: Sequence[Clip], labels: Sequence[str], option: str) -> list[Clip]:
    """The clips with one of the labels, and calm ones as neutral if calm is not one. Prints what is left out.

    Args:
        clips: of the corpora.
        labels: of the network.
        option: of the command, by which the user can add a label.
    """
    calm = "neutral" in labels and "calm" not in labels
    named = [replace(c, emotion="neutral") if calm and c.emotion == "calm" else c for c in clips]
    for label, count in Counter(c.emotion for c in named if c.emotion not in labels).items():
        text = f"left out: {count} clip(s) of {label}, which is not a label of the network; see {option}"
        console.print(text, style="yellow", highlight=False, soft_wrap=True, markup=False)
    return [clip for clip in named if clip.emotion in labels]


def tell(problems: Sequence[Problem]) -> None:
    """Print which files are left out, and why."""
    for problem in problems[:_SHOWN_PROBLEMS]:
        console.print(f"left out: {problem}", style="yellow", highlight=False, soft_wrap=True, markup=False)
    if len(problems) > _SHOWN_PROBLEMS:
        console.print(f"left out: {len(problems) - _SHOWN_PROBLEMS} more", style="yellow", highlight=False)


def repeatable(args: argparse.Namespace) -> str:
    """The command that reproduces the figures, without the paths of this machine."""
    given = ["baseline", args.name] if "name" in args else ["evaluate"]
    given += ["--protocol", args.protocol, "--seeds", str(args.seeds)]
    given += ["--form", args.form] if getattr(args, "form", "in") != "in" else []
    given += ["--folds", ",".join(args.folds)] if args.folds else []
    if getattr(args, "base", None):
        given += ["--base", f"RUNS/{args.base.name}"]
    if getattr(args, "teachers", None):
        numbered = enumerate(args.teachers, start=1)
        given += ["--teachers", *(f"RUNS{number}/{folder.name}" for number, folder in numbered)]
    if args.recipe:
        given += ["--recipe", name_of(args.recipe)]
    return " ".join([*given, *places_of(args.corpus)])


def places_of(corpora: Sequence[str]) -> list[str]:
    """The `--corpus` arguments of a command that others can run, without the paths of this machine."""
    pairs = (place.partition("=") for place in corpora)
    return [word for kind, _, path in pairs for word in ("--corpus", f"{kind}=CORPORA/{Path(path).name}")]


def name_of(recipe: Path) -> str:
    """How a command that others can run names a recipe: a shipped one by its name, others by their path."""
    if recipe in shipped_recipes().values():
        return recipe.stem
    inside = recipe.is_absolute() and recipe.is_relative_to(Path.cwd())
    return str(recipe.relative_to(Path.cwd()) if inside else recipe)
