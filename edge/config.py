"""The configuration of one device: the settings of all packages in one tree, read from TOML."""

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
from edge.inference.reference import VoiceSettings
from edge.inference.turns import TurnSettings
from edge.mqtt.home_assistant import HomeAssistantSettings
from edge.mqtt.outbox_settings import OutboxSettings
from edge.mqtt.settings import BrokerSettings, MqttSettings, Protocol
from edge.web.settings import WebSettings

DEFAULT_FILE = Path("/etc/affectd/affectd.toml")


class ConfigError(AffectdError):
    """Raised when the configuration cannot be used; the message says which key, where, and what to do."""

    exit_code = 78


class LogLevel(StrEnum):
    """How much the daemon logs."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the daemon logs to standard error, which systemd keeps in the journal."""

    level: LogLevel = LogLevel.INFO


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings, grouped into tables by the part of the program that they belong to."""

    audio: AudioSettings = msgspec.field(default_factory=AudioSettings)
    """Where the sound comes from"""

    gate: GateSettings = msgspec.field(default_factory=GateSettings)
    """What counts as speech"""

    turns: TurnSettings = msgspec.field(default_factory=TurnSettings)
    """Where a turn begins and ends"""

    voice: VoiceSettings = msgspec.field(default_factory=VoiceSettings)
    """How the device adapts to a voice"""

    model: ModelSettings = msgspec.field(default_factory=ModelSettings)
    """What recognises the emotion"""

    mqtt: MqttSettings = msgspec.field(default_factory=MqttSettings)
    """Where the results go"""

    outbox: OutboxSettings = msgspec.field(default_factory=OutboxSettings)
    """Where turns wait while the broker is away"""

    home_assistant: HomeAssistantSettings = msgspec.field(default_factory=HomeAssistantSettings)
    """Whether the device announces itself to Home Assistant"""

    broker: BrokerSettings = msgspec.field(default_factory=BrokerSettings)
    """A broker on the device itself"""

    web: WebSettings = msgspec.field(default_factory=WebSettings)
    """The dashboard of `affectd web`"""

    log: LogSettings = msgspec.field(default_factory=LogSettings)

    def __post_init__(self) -> None:
        here = self.mqtt.host in {"localhost", "127.0.0.1", "::1", self.broker.bind}
        if self.broker.embedded and here and self.mqtt.port != self.broker.port:
            raise ValueError(
                f"the embedded broker listens on port {self.broker.port}, and mqtt.port is {self.mqtt.port}: "
                "set mqtt.port and broker.port to the same port"
            )
        if self.broker.embedded and here and self.mqtt.protocol is Protocol.AUTO:
            # amqtt speaks no other version, and logs a warning when a client asks for one.
            known = msgspec.structs.replace(self.mqtt, protocol=Protocol.V3_1_1)
            msgspec.structs.force_setattr(self, "mqtt", known)


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
        overrides: values from the command line, which override the file.
        read_default: whether to look for `DEFAULT_FILE`.

    Raises:
        ConfigError: when the file is missing or unreadable, a key is unknown, or a value is invalid.
    """
    file = path or (DEFAULT_FILE if read_default and _is_there(DEFAULT_FILE) else None)
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
        raise ConfigError(_explain(error, origins)) from error
    return Loaded(config=config, origins=origins)


def describe(loaded: Loaded) -> str:
    """The whole configuration in force as TOML, each value followed by its origin."""
    lines = []
    for table, values in msgspec.to_builtins(loaded.config).items():
        lines.append(f"[{table}]")
        for key, value in values.items():
            origin = loaded.origins.get(f"{table}.{key}", "default")
            text = f"# {key} is not set" if value is None else f"{key} = {_toml(value)}"
            lines.append(f"{text:<40}  # {origin}")
        lines.append("")
    return "\n".join(lines).rstrip()


def _toml(value: Any) -> str:
    """A scalar or a list as TOML: the same as JSON, except that TOML requires DEL to be escaped."""
    return msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")


def _is_there(file: Path) -> bool:
    try:
        file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True  # reading it will raise the error that says why
    return True


def _read(file: Path) -> Tables:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"{file}: cannot be read: {error.strerror}; name another with --config, or use --no-config"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: is not UTF-8 text: {error}") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{file}: is not TOML: {error}") from error


def _check_keys(tables: Tables, origin: str) -> None:
    known = {field.name: _keys(field.type) for field in msgspec.structs.fields(Config)}
    for table, values in tables.items():
        if table not in known:
            homes = [f"[{name}]" for name, keys in known.items() if table in keys]
            if homes and not isinstance(values, Mapping):
                raise ConfigError(f"{origin}: {table} is in no table; put it below {' or '.join(homes)}")
            raise ConfigError(f"{origin}: unknown table [{table}]{_nearest(table, list(known))}")
        if not isinstance(values, Mapping):
            raise ConfigError(f"{origin}: {table} is a table; write [{table}], and its keys below it")
        for key in values:
            if key not in known[table]:
                raise ConfigError(f"{origin}: unknown key {key!r} in [{table}]{_nearest(key, known[table])}")


def _keys(settings: Any) -> list[str]:
    return [field.name for field in msgspec.structs.fields(settings)]


def _nearest(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; use one of {', '.join(known)}"


def _explain(error: Exception, origins: Mapping[str, str]) -> str:
    """Origin and key of the value that msgspec rejects, at `$.table.key` or `$.table`, and the reason."""
    why, _, path = str(error).partition(" - at `$.")
    key = path.rstrip("`").partition("[")[0]
    places = dict.fromkeys(origin for name, origin in origins.items() if f"{name}.".startswith(f"{key}."))
    place = ", ".join(places) or ", ".join(dict.fromkeys(origins.values()))
    return f"{place}: {key}: {why}" if key else f"{place}: {why}"
