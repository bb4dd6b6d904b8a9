"""`affectd bench` on the command line."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from edge.options import add_config, add_model_file, load, seconds

# `--help` on a small board must not wait for numpy.
# ruff: noqa: PLC0415


def add_bench(commands: Any) -> None:
    """Add the command `bench`."""
    bench = commands.add_parser(
        "bench",
        help="measure how much of this machine affectd uses",
        description="Measure on this machine: the processor time of each stage, and the running daemon's "
        "share of a core, memory and start-up time. Uses the model and settings in force, the bundled speech "
        "and a private broker; it needs no microphone, and publishes nothing elsewhere. Run as root or as "
        "the user affectd, it measures the model of the systemd service.",
    )
    add_config(bench)
    bench.add_argument(
        "--seconds",
        type=seconds(1.0, 3600.0),
        default=30.0,
        help="duration of live speech, and again of a quiet room, 1 to 3600 (default: %(default)g)",
    )
    add_model_file(bench)
    bench.add_argument("--json", action="store_true", help="print the figures as JSON")
    bench.set_defaults(command=_bench)


def _bench(args: argparse.Namespace) -> int:
    from edge.bench.run import run_bench
    from edge.state_folder import mean_the_service

    config = load(args).config
    if not mean_the_service():
        print("measuring your own model; for that of the service: sudo affectd bench", file=sys.stderr)
    return run_bench(config, args.seconds, as_json=args.json)
