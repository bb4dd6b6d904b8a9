"""`affectd enrol` on the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

# `--help` on a small board must not wait for numpy.
# ruff: noqa: PLC0415


def add_enrol(
    commands: Any,
    add_config: Callable[[argparse.ArgumentParser], None],
    load: Callable[[argparse.Namespace], Any],
) -> None:
    """Add `enrol` to a parser.

    Args:
        commands: the subparsers.
        add_config: adds the options that choose a configuration.
        load: reads what they chose.
    """
    enrol = commands.add_parser(
        "enrol",
        help="get to know the neutral voice of one person",
        description="Hear about ten seconds of one person's everyday voice, and judge what is said from then "
        "on against it. A mean spectrum of a few dozen numbers is kept, and no sound. Root and the "
        "user affectd enrol for the systemd service, in /var/lib/affectd; any other user for a daemon of its "
        "own, in ~/.local/state/affectd. While a daemon runs, the microphone is its: use command/enrol over "
        "MQTT then.",
        epilog="examples: affectd enrol · affectd enrol neutral_1.wav neutral_2.wav · affectd enrol --forget",
    )
    add_config(enrol)
    enrol.add_argument(
        "recordings", nargs="*", metavar="RECORDING", help="sound files in place of the configured source"
    )
    enrol.add_argument(
        "--seconds", type=_seconds, default=10.0, help="of speech to hear, 3 to 60 (default: %(default)g)"
    )
    enrol.add_argument("--forget", action="store_true", help="remove what was enrolled, and end")
    source = enrol.add_mutually_exclusive_group()
    source.add_argument("--device", help="microphone, by its name or a part of it; see `affectd devices`")
    source.add_argument("--command", dest="program", help="a program that writes PCM or WAV, as the source")
    enrol.add_argument("--device-id", help="this device's name in every topic (default: the host's name)")
    enrol.add_argument("--model", help="model file (default: the one in force, see `affectd model list`)")
    enrol.set_defaults(command=lambda args: _enrol(args, load))


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 3.0 <= seconds <= 60.0:
        raise argparse.ArgumentTypeError(f"{text} is not 3 to 60 seconds")
    return seconds


def _enrol(args: argparse.Namespace, load: Callable[[argparse.Namespace], Any]) -> int:
    from edge.state_folder import mean_the_service
    from edge.voice.command import enrol, forget

    if not mean_the_service():
        print("this enrolment is yours alone; for the service: sudo affectd enrol …", file=sys.stderr)
    config = load(args).config
    if args.forget:
        return forget(config)
    return enrol(config, args.recordings, args.seconds)
