"""What the commands of `affectd-train` share: arguments, corpora, features, and how they tell of them."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
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
    """An argument parser that ends with the exit code of sysexits."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the arguments, and end."""
        self.print_usage(sys.stderr)
        self.exit(_EX_USAGE, f"{self.prog}: {message}; see {self.prog} --help\n")


def whole(text: str) -> int:
    """A whole number above 0, as the type of an argument."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def words(text: str) -> tuple[str, ...]:
    """Words between commas, as the type of an argument."""
    return tuple(word.strip() for word in text.split(","))


def add_common(parser: argparse.ArgumentParser, recipe: Path | None = None) -> None:
    """The arguments of every command that trains one recipe: corpora, cache, and which recipe it takes."""
    add_corpus(parser)
    parser.add_argument(
        "--recipe",
        type=recipe_file,
        default=recipe,
        help=f"TOML with every choice of the training, or the name of one that comes with affectd: "
        f"{', '.join(shipped_recipes())} (default: {recipe.stem if recipe else 'built in'})",
    )


def add_corpus(parser: argparse.ArgumentParser) -> None:
    """Where the clips are, and where their features are kept."""
    parser.add_argument(
        "--corpus",
        action="append",
        required=True,
        metavar="KIND=PLACE",
        help=f"a corpus as it was unpacked; KIND is one of {', '.join(READERS)}; may be given again. "
        "csv: columns path, speaker, emotion, and if there corpus, language, fold, sex, licence; manifest is "
        "the same as csv",
    )
    parser.add_argument(
        "--cache", type=Path, default=Path("cache"), help="folder of cached features (default: cache)"
    )


def add_run_options(parser: argparse.ArgumentParser, results: str) -> None:
    """Teach a command which folds and seeds to run, and where what comes of them goes."""
    parser.add_argument(
        "--seeds", type=whole, default=1, help="runs of each fold, seeds 0, 1, … (default: 1)"
    )
    parser.add_argument(
        "--folds", type=words, help="comma-separated folds (default: all); fewer are said so in the result"
    )
    parser.add_argument(
        "--jobs", type=whole, default=os.cpu_count() or 1, help="folds side by side (default: cores)"
    )
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder of the runs (default: runs)")
    add_log(parser)
    parser.add_argument(
        "--results", type=Path, default=Path(results), help="folder of the JSON (default: %(default)s)"
    )


def add_log(parser: argparse.ArgumentParser) -> None:
    """Teach a command where it notes what it has trained."""
    parser.add_argument(
        "--log", type=Path, default=RUNS, help="log of all runs, as JSON lines (default: %(default)s)"
    )


def load_features(clips: Sequence[Clip], args: argparse.Namespace, recipe: Recipe) -> list[Example]:
    """Features of the clips that can be used; the others are named.

    Raises:
        CorpusError: when none of them can be used.
    """
    from training.features import FeatureCache  # noqa: PLC0415

    cache = FeatureCache(args.cache, recipe.mfcc_config)
    with clip_progress(console) as show:
        examples, problems = cache.load(clips, show)
    tell(problems)
    if problems and not examples:
        raise CorpusError(f"no clip could be read, of {len(clips)}: {problems[0]}")
    return examples


def read_places(places: Sequence[str], own_labels: Sequence[str] = ()) -> Corpus:
    """All corpora of the `--corpus` arguments as one; what is left out is named.

    Args:
        places: the arguments.
        own_labels: that a CSV may use beside the usual ones.

    Raises:
        CorpusError: when one of them cannot be used.
    """
    corpus = Corpus()
    for place in places:
        kind, separator, path = place.partition("=")
        if not separator:
            raise CorpusError(f"--corpus {place}: say what it is, as in ravdess={place}")
        part = read_corpus(kind, Path(path).expanduser(), own_labels)
        counts = f"{path}: {len(part.clips)} clips, {len(part.problems)} left out"
        console.print(counts, highlight=False, soft_wrap=True, markup=False)
        corpus.extend(part)
    known: dict[Path, Clip] = {}
    for clip in corpus.clips:
        if known.setdefault(clip.path.resolve(), clip) is not clip:
            corpus.problems.append(Problem(str(clip.path), "given twice; the first counts"))
    corpus.clips = list(known.values())
    tell(corpus.problems)
    return corpus


def tell(problems: Sequence[Problem]) -> None:
    """Name the files that are left out, and why."""
    for problem in problems[:_SHOWN_PROBLEMS]:
        console.print(f"left out: {problem}", style="yellow", highlight=False, soft_wrap=True, markup=False)
    if len(problems) > _SHOWN_PROBLEMS:
        console.print(f"left out: {len(problems) - _SHOWN_PROBLEMS} more", style="yellow", highlight=False)


def repeatable(args: argparse.Namespace) -> str:
    """The command that gives the same figures, without the places of this machine."""
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
    """The `--corpus` arguments of a command that others repeat."""
    pairs = (place.partition("=") for place in corpora)
    return [word for kind, _, path in pairs for word in ("--corpus", f"{kind}=CORPORA/{Path(path).name}")]


def name_of(recipe: Path) -> str:
    """How a recipe is named in a command that others repeat: by its name, or its place in this checkout."""
    if recipe in shipped_recipes().values():
        return recipe.stem
    inside = recipe.is_absolute() and recipe.is_relative_to(Path.cwd())
    return str(recipe.relative_to(Path.cwd()) if inside else recipe)
