"""Options that several commands share, and the configuration that they give. Light to import."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.errors import AffectdError

if TYPE_CHECKING:
    from edge.config import Loaded

EX_USAGE = 64

_IMPLIED_SOURCES = {"device": "microphone", "file": "file", "program": "command"}
"""Which source an option belongs to"""

_PLACES = {
    "audio": {"device": "device", "file": "path", "realtime": "realtime", "program": "command",
              "device_rate": "device_rate", "rate": "rate", "channels": "channels"},
    "mqtt": {"host": "host", "port": "port", "protocol": "protocol", "username": "username",
             "device_id": "device"},
    "outbox": {"outbox": "storage"},
    "broker": {"embedded_broker": "embedded"},
    "model": {"model": "path"},
    "log": {"log_level": "level"},
}  # fmt: skip
"""Which key of which table an option sets"""


class UsageError(AffectdError):
    """Raised when options contradict each other in a way that the parser cannot know."""

    exit_code = EX_USAGE


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose a configuration."""
    group = parser.add_argument_group("configuration").add_mutually_exclusive_group()
    group.add_argument("--config", type=Path, help="TOML file (default: /etc/affectd/affectd.toml, if there)")
    group.add_argument("--no-config", action="store_true", help="take the defaults, whatever files there are")


def add_source(parser: Any) -> Any:
    """Add the options that name a live source, of which one may be given; returns their group."""
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--device", help="microphone, by its name or a part of it; see `affectd devices`")
    source.add_argument("--command", dest="program", help="a program that writes PCM or WAV, as the source")
    return source


def add_broker(parser: argparse.ArgumentParser, title: str = "MQTT") -> Any:
    """Add the options that name the broker and the device on it; returns their group."""
    mqtt = parser.add_argument_group(title)
    mqtt.add_argument("--host", help="the broker (default: localhost)")
    mqtt.add_argument("--port", type=int, help="its port (default: 1883)")
    mqtt.add_argument(
        "--protocol", choices=("auto", "5", "3.1.1"), help="version of MQTT (default: the broker's newest)"
    )
    mqtt.add_argument("--username", help="to log in with; the password is in AFFECTD_MQTT_PASSWORD")
    add_device_id(mqtt)
    return mqtt


def add_device_id(parser: Any) -> None:
    """Add the option that names this device, to a parser or a group."""
    parser.add_argument("--device-id", help="this device's name in every topic (default: the host's name)")


def add_model_file(parser: argparse.ArgumentParser) -> None:
    """Add the option that names a model file."""
    parser.add_argument("--model", help="model file (default: the one in force, see `affectd model list`)")


def seconds(least: float, most: float) -> Callable[[str], float]:
    """A type of argument: so many seconds, both ends included."""

    def parse(text: str) -> float:
        number = float(text)
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"{text} is not {least:g} to {most:g} seconds")
        return number

    parse.__name__ = "number of seconds"  # argparse says it of what is no number at all
    return parse


def load(args: argparse.Namespace) -> Loaded:
    """The configuration that the options choose and change.

    Raises:
        ConfigError: when it cannot be used.
        UsageError: when the options contradict each other.
    """
    from edge.config import load as load_config  # noqa: PLC0415  # `--help` must not wait for numpy

    loaded = load_config(args.config, _overrides(args), read_default=not args.no_config)
    if getattr(args, "realtime", False) and loaded.config.audio.source != "file":
        raise UsageError("--realtime says how a sound file is played: name one with --file, or leave it out")
    return loaded


def _overrides(args: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """What the options say, as the configuration's tables."""
    given = {key: value for key, value in vars(args).items() if value is not None and value is not False}
    implied = next((kind for option, kind in _IMPLIED_SOURCES.items() if option in given), None)
    source = given.get("source") or implied
    if implied not in (None, source):
        raise UsageError(f"--source {source} contradicts the option for {implied}; leave one of them out")
    tables = {
        table: {key: given[option] for option, key in keys.items() if option in given}
        for table, keys in _PLACES.items()
    }
    if source:
        tables["audio"]["source"] = source
    if "embedded_broker" in given and "port" in given:
        tables["broker"]["port"] = given["port"]
    if "listen" in given:
        bind, port = given["listen"]
        tables["web"] = {"bind": bind, "port": port}
    return {table: values for table, values in tables.items() if values}
