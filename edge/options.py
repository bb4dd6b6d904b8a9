"""Options that several commands share, and the configuration that they result in; cheap to import."""

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
"""The source that an option implies"""

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
"""The configuration key that each option sets, by table"""


class UsageError(AffectdError):
    """Raised when options contradict each other in a way that the parser cannot detect."""

    exit_code = EX_USAGE


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose a configuration."""
    group = parser.add_argument_group("configuration").add_mutually_exclusive_group()
    group.add_argument("--config", type=Path, help="TOML file (default: /etc/affectd/affectd.toml, if any)")
    group.add_argument("--no-config", action="store_true", help="use the defaults and read no file")


def add_source(parser: Any) -> Any:
    """Add the options that name a live source, which exclude each other; returns their group."""
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--device", help="microphone, by its name or part of it; see `affectd devices`")
    source.add_argument("--command", dest="program", help="program that writes PCM or WAV, as the source")
    return source


def add_broker(parser: argparse.ArgumentParser, title: str = "MQTT") -> Any:
    """Add the options that name the broker and the device on it; returns their group."""
    mqtt = parser.add_argument_group(title)
    mqtt.add_argument("--host", help="host of the broker (default: localhost)")
    mqtt.add_argument("--port", type=int, help="port of the broker (default: 1883)")
    mqtt.add_argument(
        "--protocol", choices=("auto", "5", "3.1.1"), help="MQTT version (default: the broker's newest)"
    )
    mqtt.add_argument("--username", help="user name; the password is read from AFFECTD_MQTT_PASSWORD")
    add_device_id(mqtt)
    return mqtt


def add_device_id(parser: Any) -> None:
    """Add the option that names this device, to a parser or a group."""
    parser.add_argument("--device-id", help="name of this device in its topics (default: the host name)")


def add_model_file(parser: argparse.ArgumentParser) -> None:
    """Add the option that names a model file."""
    parser.add_argument("--model", help="model file (default: the one in force, see `affectd model list`)")


def seconds(least: float, most: float) -> Callable[[str], float]:
    """An argparse type for a number of seconds between these limits, both included."""

    def parse(text: str) -> float:
        number = float(text)
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"{text} is out of range; give {least:g} to {most:g} seconds")
        return number

    parse.__name__ = "number of seconds"  # argparse names it when the text is not a number
    return parse


def load(args: argparse.Namespace) -> Loaded:
    """Load the configuration that the options select, with the values that they override.

    Raises:
        ConfigError: when it cannot be used.
        UsageError: when the options contradict each other.
    """
    from edge.config import load as load_config  # noqa: PLC0415  # `--help` must not wait for numpy

    loaded = load_config(args.config, _overrides(args), read_default=not args.no_config)
    if getattr(args, "realtime", False) and loaded.config.audio.source != "file":
        raise UsageError("--realtime applies only to a sound file; name one with --file, or leave it out")
    return loaded


def _overrides(args: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """The options given, as tables of the configuration."""
    given = {key: value for key, value in vars(args).items() if value is not None and value is not False}
    implied = next((kind for option, kind in _IMPLIED_SOURCES.items() if option in given), None)
    source = given.get("source") or implied
    if implied not in (None, source):
        raise UsageError(f"--source {source} contradicts the option for a {implied}; leave one of them out")
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
