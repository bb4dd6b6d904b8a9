"""`affectd enrol` on the command line."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from edge.options import add_config, add_device_id, add_model_file, add_source, load, seconds

# `--help` on a small board must not wait for numpy.
# ruff: noqa: PLC0415


def add_enrol(commands: Any) -> None:
    """Add `enrol` to those of `affectd`."""
    enrol = commands.add_parser(
        "enrol",
        help="enrol the neutral voice of one person",
        description="Listen to about ten seconds of one person's everyday voice, and judge later speech "
        "relative to it. Only a mean spectrum of a few dozen numbers is kept, no sound. Root and the user "
        "affectd enrol for the systemd service, in /var/lib/affectd; any other user for their own daemon, in "
        "~/.local/state/affectd. A running daemon occupies the microphone: then use command/enrol over MQTT.",
        epilog="examples: affectd enrol · affectd enrol neutral_1.wav neutral_2.wav · affectd enrol --forget",
    )
    add_config(enrol)
    enrol.add_argument(
        "recordings", nargs="*", metavar="RECORDING", help="sound files, instead of the configured source"
    )
    enrol.add_argument(
        "--seconds",
        type=seconds(3.0, 60.0),
        default=10.0,
        help="seconds of speech to collect, 3 to 60 (default: %(default)g)",
    )
    enrol.add_argument("--forget", action="store_true", help="remove the enrolled voice, and exit")
    add_source(enrol)
    add_device_id(enrol)
    add_model_file(enrol)
    enrol.set_defaults(command=_enrol)


def _enrol(args: argparse.Namespace) -> int:
    from edge.state_folder import mean_the_service
    from edge.voice.command import enrol, forget

    if not mean_the_service():
        print("using your own enrolment; for that of the service: sudo affectd enrol …", file=sys.stderr)
    config = load(args).config
    if args.forget:
        return forget(config)
    return enrol(config, args.recordings, args.seconds)
