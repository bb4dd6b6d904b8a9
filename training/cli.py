"""`affectd-train`: train networks on labelled speech, and measure them on speakers they have not heard."""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures.process import BrokenProcessPool

from edge.errors import AffectdError
from training.commands import ablate, baseline, evaluate, fit, report, tune
from training.commands.common import Parser, console

# TensorFlow's log messages would bury the program's own output.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

_EX_UNAVAILABLE, _EX_IOERR = 69, 74


def main(argv: list[str] | None = None) -> int:
    """Entry point; the result is the exit code."""
    args = _parser().parse_args(argv)
    try:
        code: int = args.command(args)
    except AffectdError as error:
        return _fail(str(error), error.exit_code)
    except BrokenProcessPool:
        return _fail(
            "a worker process was killed, perhaps because memory ran out: try fewer --jobs", _EX_UNAVAILABLE
        )
    except OSError as error:
        return _fail(f"{error}; check the paths of --run, --runs, --cache and --results", _EX_IOERR)
    except KeyboardInterrupt:
        console.print("stopped; run the same command again to resume")
        return 130
    return code


def _fail(message: str, code: int) -> int:
    console.print(f"affectd-train: {message}", style="red", highlight=False, soft_wrap=True, markup=False)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="affectd-train",
        description="Train emotion models on labelled speech, and measure them on speakers they have never "
        "heard.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)
    for command in (fit, tune, evaluate, baseline, ablate, report):
        command.add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
