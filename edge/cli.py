"""The command `affectd`."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from edge import __version__
from edge.bench.cli import add_bench
from edge.errors import AffectdError
from edge.mqtt.provision.cli import add_provision
from edge.options import EX_USAGE, add_broker, add_config, add_model_file, add_source, load
from edge.update.cli import add_model
from edge.voice.cli import add_enrol
from edge.web.cli import add_web

# Each command imports what it needs: `--help` on a small board must not wait for numpy.
# ruff: noqa: PLC0415

_STAGES = ("configuration", "system", "model", "speed", "permissions", "microphone", "clock", "disk",
           "board", "broker", "home-assistant")  # fmt: skip
"""The doctor's stages: a copy of `edge.doctor.report.Stage`, whose import would need msgspec"""


class _Parser(argparse.ArgumentParser):
    """An argument parser whose usage errors exit with the code of sysexits(3)."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(EX_USAGE, f"{self.prog}: {message}; see {self.prog} --help\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    args = _parser().parse_args(argv)
    try:
        code: int = args.command(args)
    except BrokenPipeError:
        # The reader has closed the pipe; without this, Python would report an error when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    except AffectdError as error:
        print(f"affectd: {error}", file=sys.stderr)
        return error.exit_code
    return code


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="affectd",
        description="Recognise the emotion of speech on this device and publish it over MQTT. No sound "
        "leaves the device, and none is stored.",
        epilog="Start with `affectd demo`. Exit codes: 64 usage error, 65 bad data, 66 no such input, "
        "69 something is unavailable, 78 configuration error.",
    )
    parser.add_argument("--version", action="version", version=f"affectd {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)
    _add_run(commands)
    _add_classify(commands)
    demo = commands.add_parser(
        "demo",
        help="play the bundled speech and show what a subscriber receives",
        description="Start a private broker and a daemon that listens to the bundled speech, and print what "
        "a subscriber receives. Needs no microphone and no configuration; the speech is synthetic.",
    )
    demo.set_defaults(command=_demo)
    devices = commands.add_parser(
        "devices",
        help="list the microphones, ready to paste into a configuration",
        description="List the microphones of this machine, each with the lines that select it in a "
        "configuration file.",
    )
    devices.set_defaults(command=_devices)
    _add_doctor(commands)
    config = commands.add_parser(
        "config",
        help="show the configuration in force",
        description="Print the whole configuration in force as TOML, and where each value comes from.",
    )
    config.add_argument("what", nargs="?", choices=("show",), help="print the configuration (default)")
    add_config(config)
    config.set_defaults(command=_config)
    add_bench(commands)
    add_model(commands)
    add_enrol(commands)
    add_web(commands)
    _add_broker(commands)
    add_provision(commands)
    return parser


def _add_run(commands: Any) -> None:
    run = commands.add_parser(
        "run",
        help="listen and publish, until stopped",
        description="Listen to a microphone (or a file, a command, standard input) and publish every turn of "
        "speech. Options override the configuration file.",
        epilog="examples: affectd run --device 'USB PnP' --host broker.lan · "
        "arecord -q -f S16_LE -r 16000 -c 1 -t raw | affectd run --source stdin",
    )
    add_config(run)
    sound = run.add_argument_group("sound")
    sound.add_argument(
        "--source", choices=("microphone", "file", "stdin", "command"), help="where the sound comes from"
    )
    add_source(sound).add_argument("--file", help="use this sound file as the source")
    sound.add_argument("--realtime", action="store_true", help="play the sound file in real time")
    sound.add_argument("--device-rate", type=int, help="microphone's sample rate in hertz (default: its own)")
    sound.add_argument("--rate", type=int, help="sample rate of raw PCM in hertz (default: 16000)")
    sound.add_argument("--channels", type=int, help="number of channels of raw PCM (default: 1)")
    mqtt = add_broker(run)
    mqtt.add_argument(
        "--outbox", choices=("disk", "memory"), help="where undelivered turns are kept (default: disk)"
    )
    mqtt.add_argument("--embedded-broker", action="store_true", help="also run a broker on this machine")
    add_model_file(run)
    run.add_argument(
        "--log-level", choices=("debug", "info", "warning", "error"), help="how much to log (default: info)"
    )
    run.set_defaults(command=_run)


def _add_classify(commands: Any) -> None:
    classify = commands.add_parser(
        "classify",
        help="classify the emotion of recordings",
        description="Classify each recording as a single turn and print its emotion. Any format that "
        "libsndfile reads, any sample rate, any number of channels.",
    )
    classify.add_argument("files", nargs="+", metavar="FILE")
    classify.add_argument("--json", action="store_true", help="print one JSON object per line")
    classify.add_argument("--model", help="model file (default: the shipped one)")
    classify.set_defaults(command=_classify)


def _add_doctor(commands: Any) -> None:
    doctor = commands.add_parser(
        "doctor",
        help="check everything that affectd needs, and say what to fix",
        description="Check configuration, system, model, speed, permissions, microphone, clock, disk, board, "
        "broker and Home Assistant, one after the other. Each result is ok, warn, fail or skip; warn and "
        "fail say what to do. Nothing is changed, and a running affectd is not disturbed.",
        epilog="Exit codes: 0 no check fails, 69 a check fails, 78 the configuration cannot be used. To "
        "check with the permissions of the service: sudo -u affectd affectd doctor",
    )
    add_config(doctor)
    doctor.add_argument("--only", nargs="+", metavar="STAGE", choices=_STAGES, help=", ".join(_STAGES))
    doctor.add_argument("--json", action="store_true", help="print one JSON object once all checks are done")
    doctor.set_defaults(command=_doctor)


def _add_broker(commands: Any) -> None:
    broker = commands.add_parser(
        "broker",
        help="run only the embedded MQTT broker",
        description="Run the small MQTT broker that comes with affectd[broker], until stopped. It speaks "
        "MQTT 3.1.1 without TLS, and stores nothing on disk.",
    )
    broker.add_argument("--bind", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    broker.add_argument("--port", type=int, default=1883, help="TCP port (default: %(default)s)")
    broker.add_argument(
        "--websocket-port", type=int, help="TCP port for MQTT over WebSockets (default: none)"
    )
    who = broker.add_mutually_exclusive_group()
    who.add_argument(
        "--password-file", metavar="FILE", help="one line name:hash per user, hashed with argon2 by pwdlib"
    )
    who.add_argument(
        "--allow-anonymous", action="store_true", help="accept clients without a password, even remote ones"
    )
    broker.set_defaults(command=_broker)


def _run(args: argparse.Namespace) -> int:
    # Until the daemon handles signals itself, Ctrl-C ends it at once, as SIGTERM does, even during imports.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from edge.daemon import run
    from edge.quiet_stderr import lasting_stderr

    config = load(args).config
    logging.basicConfig(
        level=config.log.level.upper(),
        format="%(asctime)s %(levelname)-8s %(message)s",
        stream=lasting_stderr(),
    )
    return run(config, lambda: load(args).config)


def _classify(args: argparse.Namespace) -> int:
    from edge.classify import classify_files
    from edge.inference.model import EmotionModel, ModelSettings

    settings = ModelSettings(path=args.model) if args.model else ModelSettings()
    return classify_files(EmotionModel(settings), args.files, args.json)


def _demo(_args: argparse.Namespace) -> int:
    from edge.demo import run_demo

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    return run_demo()


def _doctor(args: argparse.Namespace) -> int:
    from edge.doctor.command import run_doctor
    from edge.state_folder import mean_the_service

    mean_the_service()
    # The report says everything that matters; log lines would only be mixed in between its lines.
    logging.disable(logging.CRITICAL)
    return run_doctor(lambda: load(args), args.only, args.json)


def _devices(_args: argparse.Namespace) -> int:
    import json

    from edge.audio.devices import choose_device, list_input_devices

    devices = list_input_devices()
    choose_device(devices, None)  # raises an error that says what to do when there is none
    for device in devices:
        name = json.dumps(device.stable_name, ensure_ascii=False)  # also valid TOML
        print(f"{device}\n    [audio]\n    device = {name}")
    return 0


def _config(args: argparse.Namespace) -> int:
    from edge.config import describe

    print(describe(load(args)))
    return 0


def _broker(args: argparse.Namespace) -> int:
    from edge.mqtt.broker import run_alone
    from edge.mqtt.settings import BrokerSettings

    names = ("bind", "port", "websocket_port", "password_file", "allow_anonymous")
    run_alone(BrokerSettings(**{name: getattr(args, name) for name in names}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
