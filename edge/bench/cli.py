"""`affectd bench` on the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

# `--help` on a small board must not wait for numpy.
# ruff: noqa: PLC0415


def add_bench(
    commands: Any,
    add_config: Callable[[argparse.ArgumentParser], None],
    load: Callable[[argparse.Namespace], Any],
) -> None:
    """Add `bench` to a parser.

    Args:
        commands: the subparsers.
        add_config: adds the options that choose a configuration.
        load: reads what they chose.
    """
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
        "--seconds", type=_seconds, default=30.0, help="of live speech, and again of a quiet room"
    )
    bench.add_argument("--model", help="model file (default: the one in force)")
    bench.add_argument("--json", action="store_true", help="print the figures as JSON")
    bench.set_defaults(command=lambda args: _bench(args, load))


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 1.0 <= seconds <= 3600.0:
        raise argparse.ArgumentTypeError(f"{text} is not 1 to 3600 seconds")
    return seconds


def _bench(args: argparse.Namespace, load: Callable[[argparse.Namespace], Any]) -> int:
    from edge.bench.run import run_bench
    from edge.mqtt.outbox_settings import mean_the_service

    config = load(args).config
    if not mean_the_service():
        print("this takes a model of yours; with that of the service: sudo affectd bench", file=sys.stderr)
    return run_bench(config, args.seconds, as_json=args.json)
