"""`affectd bench` on the command line."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from edge.options import add_config, add_model_file, load, seconds

# `--help` on a small board must not wait for numpy.
# ruff: noqa: PLC0415


def add_bench(commands: Any) -> None:
    """Add `bench` to those of `affectd`."""
    bench = commands.add_parser(
        "bench",
        help="measure what affectd takes of this machine",
        description="Measure on this machine: processor time of each stage, and the running daemon's share "
        "of a core, its memory and its start. Takes the model and the settings in force, the bundled speech, "
        "and a broker of its own; no microphone, and nothing is published elsewhere. Of root and the user "
        "affectd, the model is that of the systemd service.",
    )
    add_config(bench)
    bench.add_argument(
        "--seconds",
        type=seconds(1.0, 3600.0),
        default=30.0,
        help="of live speech, and again of a quiet room, 1 to 3600 (default: %(default)g)",
    )
    add_model_file(bench)
    bench.add_argument("--json", action="store_true", help="print the figures as JSON")
    bench.set_defaults(command=_bench)


def _bench(args: argparse.Namespace) -> int:
    from edge.bench.run import run_bench
    from edge.state_folder import mean_the_service

    config = load(args).config
    if not mean_the_service():
        print("this takes a model of yours; with that of the service: sudo affectd bench", file=sys.stderr)
    return run_bench(config, args.seconds, as_json=args.json)
