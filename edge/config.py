"""The configuration of one device: the rooms' settings in one tree, read from TOML."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from edge.audio.settings import AudioSettings
from edge.errors import AffectdError
from edge.frontend.vad import GateSettings
from edge.inference.model import ModelSettings
from edge.inference.turns import TurnSettings
from edge.mqtt.settings import BrokerSettings, MqttSettings

DEFAULT_FILE = Path("/etc/affectd/affectd.toml")


class ConfigError(AffectdError):
    """Raised when the configuration cannot be used; the message says which key, where, and what to do."""

    exit_code = 78


class LogLevel(StrEnum):
    """How much the daemon says on standard error."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the daemon writes to standard error, which systemd keeps in the journal."""

    level: LogLevel = LogLevel.INFO


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that can be set, one table for each room."""

    audio: AudioSettings = msgspec.field(default_factory=AudioSettings)
    """Where the sound comes from"""

    gate: GateSettings = msgspec.field(default_factory=GateSettings)
    """What counts as speech"""

    turns: TurnSettings = msgspec.field(default_factory=TurnSettings)
    """Where a turn begins and ends"""

    model: ModelSettings = msgspec.field(default_factory=ModelSettings)
    """What recognises the emotion"""

    mqtt: MqttSettings = msgspec.field(default_factory=MqttSettings)
    """Where the results go"""

    broker: BrokerSettings = msgspec.field(default_factory=BrokerSettings)
    """A broker on the device itself"""

    log: LogSettings = msgspec.field(default_factory=LogSettings)


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """A configuration, and where each value that is not a default comes from."""

    config: Config
    origins: dict[str, str]
    """`table.key` -> the file, or `command line`"""


Tables = Mapping[str, Mapping[str, Any]]


def load(path: Path | None = None, overrides: Tables | None = None, read_default: bool = True) -> Loaded:
    """Read a configuration.

    Args:
        path: a TOML file; None reads `DEFAULT_FILE` where it exists.
        overrides: values from the command line, which win over the file.
        read_default: whether to look for `DEFAULT_FILE`.

    Raises:
        ConfigError: when the file is missing or unreadable, a key is unknown, or a value makes no sense.
    """
    file = path or (DEFAULT_FILE if read_default and DEFAULT_FILE.exists() else None)
    merged: dict[str, dict[str, Any]] = {}
    origins: dict[str, str] = {}
    layers = [(str(file), _read(file))] if file else []
    for origin, tables in [*layers, ("command line", overrides or {})]:
        _check_keys(tables, origin)
        for table, values in tables.items():
            merged.setdefault(table, {}).update(values)
            origins.update({f"{table}.{key}": origin for key in values})
    try:
        config = msgspec.convert(merged, Config)
    except (msgspec.ValidationError, ValueError) as error:
        raise ConfigError(f"{_place(error, origins, file)}: {error}") from error
    return Loaded(config=config, origins=origins)


def describe(loaded: Loaded) -> str:
    """The whole configuration in force as TOML, with each value's origin behind it."""
    lines = []
    for table, values in msgspec.to_builtins(loaded.config).items():
        lines.append(f"[{table}]")
        for key, value in values.items():
            origin = loaded.origins.get(f"{table}.{key}", "default")
            text = "" if value is None else msgspec.toml.encode({key: value}).decode().strip()
            lines.append(f"{text or f'# {key} is not set':<40}  # {origin}")
        lines.append("")
    return "\n".join(lines)


def _read(file: Path) -> Tables:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}; name another with --config") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: is not UTF-8 text: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file}: is not TOML: {error}") from error


def _check_keys(tables: Tables, origin: str) -> None:
    rooms = {field.name: field.type for field in msgspec.structs.fields(Config)}
    for table, values in tables.items():
        if table not in rooms:
            raise ConfigError(f"{origin}: unknown table [{table}]{_nearest(table, list(rooms))}")
        if not isinstance(values, Mapping):
            raise ConfigError(f"{origin}: {table} is a table; write [{table}] and the keys below it")
        known = [field.name for field in msgspec.structs.fields(rooms[table])]
        for key in values:
            if key not in known:
                raise ConfigError(f"{origin}: unknown key {key!r} in [{table}]{_nearest(key, known)}")


def _nearest(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(known)}"


def _place(error: Exception, origins: dict[str, str], file: Path | None) -> str:
    """Where the value stands that msgspec complains about at `$.table.key`."""
    _, _, path = str(error).partition("$.")
    return origins.get(path.rstrip("`"), str(file) if file else "command line")
