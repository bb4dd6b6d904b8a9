"""Settings of the MQTT connection and of the embedded broker."""

from __future__ import annotations

import ipaddress
import os
import socket
from enum import StrEnum
from pathlib import Path

import msgspec

from edge.mqtt.errors import MqttSettingsError
from edge.mqtt.topics import Topics, device_name, is_level

PASSWORD_VARIABLE = "AFFECTD_MQTT_PASSWORD"  # noqa: S105  # the name of a variable, not a password
_PORTS = range(1, 65_536)


class Protocol(StrEnum):
    """Version of MQTT that the client uses."""

    AUTO = "auto"
    """5, or 3.1.1 if the broker does not support 5"""

    V3_1_1 = "3.1.1"
    """For old brokers; they do not report that they refuse a message, so neither can affectd"""

    V5 = "5"


class Transport(StrEnum):
    """What MQTT runs over."""

    TCP = "tcp"
    WEBSOCKETS = "websockets"
    """For a broker behind a web server or a proxy that lets nothing else through"""


def default_device() -> str:
    """The device name if none is set: this host's name, made fit for a topic."""
    return device_name(socket.gethostname())


class MqttSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the broker is, how the device logs in to it, and which topics it uses.

    Raises:
        MqttSettingsError: at construction, when a value is invalid; the message names the field.
    """

    host: str = "localhost"
    """Name or IP address of the broker"""

    port: int = 1883
    """TCP port of the broker; usually 8883 with TLS"""

    device: str = msgspec.field(default_factory=default_device)
    """Name of this device in every topic: a-z, 0-9, hyphens; unique on the broker. Default: the host name"""

    base_topic: str = "affectd"
    """First level or levels of every topic"""

    site: str | None = None
    """Site, if there are several: one more level, as in affectd/<site>/<device>; a-z, 0-9, hyphens"""

    room: str | None = None
    """Room: one more level above the device, likewise; suggested to Home Assistant as the device's area"""

    username: str | None = None
    """User name to log in with; if unset, the login is anonymous"""

    password_file: str | None = None
    """Path of a file that contains only the password; AFFECTD_MQTT_PASSWORD in the environment wins"""

    keepalive_s: int = 30
    """Seconds; if the network goes dead, broker and device each notice within one and a half times this, and
    the broker publishes `offline`"""

    tls: bool = False
    """Encrypt the connection and check the broker's certificate"""

    ca_file: str | None = None
    """Path of the PEM certificates to trust; if unset, those of the system"""

    cert_file: str | None = None
    """Path of our own PEM certificate, if the broker requires one"""

    key_file: str | None = None
    """Path of the PEM key of `cert_file`, without a passphrase"""

    client_id: str = ""
    """MQTT client id, unique on the broker. Default: affectd-<device>, with site and room if set"""

    protocol: Protocol = Protocol.AUTO

    transport: Transport = Transport.TCP

    path: str = "/mqtt"
    """URL path of the broker, with transport = "websockets" only"""

    def __post_init__(self) -> None:
        for field in ("site", "room"):
            level = getattr(self, field)
            if level is not None and not is_level(level):
                example = device_name(level)
                raise MqttSettingsError(
                    f"{field} is {level!r}; use 1 to 64 characters a-z, 0-9 or '-', for example {example!r}"
                )
        topics = self.topics
        if not self.client_id:
            levels = ("affectd", self.site, self.room, topics.device)
            client_id = "-".join(level for level in levels if level is not None)
            msgspec.structs.force_setattr(self, "client_id", client_id)
        _make_member(self, "protocol", Protocol)
        _make_member(self, "transport", Transport)
        _check_host("host", self.host)
        rules = (
            (self.port in _PORTS, f"port is {self.port}; it must be 1 to 65535"),
            (5 <= self.keepalive_s <= 65_535, f"keepalive_s is {self.keepalive_s}; it must be 5 to 65535"),
            (self.username != "", "username is empty; leave it out to log in anonymously"),
            (self.username is not None or self.password_file is None,
             "password_file is set without username; set both or neither"),
            ((self.cert_file is None) == (self.key_file is None),
             "cert_file and key_file belong together; set both or neither"),
            (self.tls or not (self.ca_file or self.cert_file),
             "ca_file or cert_file is set but tls is false; set tls = true"),
            (self.path.startswith("/") and self.path.isprintable() and " " not in self.path,
             f"path is {self.path!r}; it must start with '/' and have no spaces, for example '/mqtt'"),
        )  # fmt: skip
        for holds, message in rules:
            if not holds:
                raise MqttSettingsError(message)

    @property
    def topics(self) -> Topics:
        """Topics on which this device publishes and listens."""
        levels = (self.base_topic, self.site, self.room)
        return Topics("/".join(level for level in levels if level is not None), self.device)

    @property
    def protocols(self) -> tuple[Protocol, ...]:
        """Versions of MQTT to try in this order, until the broker accepts one."""
        return (Protocol.V5, Protocol.V3_1_1) if self.protocol is Protocol.AUTO else (self.protocol,)

    @property
    def address(self) -> str:
        """The broker as `host:port`, for messages."""
        return join_address(self.host, self.port)

    def password(self) -> str | None:
        """The password from the environment, else from `password_file`; None without a username.

        Raises:
            MqttSettingsError: when the file cannot be read or is empty.
        """
        if self.username is None:
            return None
        from_environment = os.environ.get(PASSWORD_VARIABLE)
        if from_environment is not None:
            return from_environment
        if self.password_file is None:
            return None
        try:
            text = Path(self.password_file).expanduser().read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not UTF-8 text"
            raise MqttSettingsError(
                f"password_file {self.password_file}: {reason}; "
                f"make it readable for this user or set {PASSWORD_VARIABLE}"
            ) from None
        password = text.rstrip("\r\n")
        if not password:
            raise MqttSettingsError(
                f"password_file {self.password_file} is empty; write the password into it"
            )
        return password


class BrokerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of the embedded broker, for a machine that has no other broker to talk to.

    Raises:
        MqttSettingsError: at construction, when a value is invalid; the message names the field.
    """

    embedded: bool = False
    """Run a broker alongside the daemon"""

    bind: str = "127.0.0.1"
    """Address to listen on; 0.0.0.0 means every IPv4 interface"""

    port: int = 1883
    """TCP port to listen on"""

    websocket_port: int | None = None
    """TCP port for MQTT over WebSockets, for browsers; off if unset"""

    password_file: str | None = None
    """Path of a file with a line `name:hash` for each user; `pwdlib` makes the hashes (argon2)"""

    allow_anonymous: bool = False
    """Let anybody who can reach `bind` publish and subscribe; the default on a loopback address"""

    def __post_init__(self) -> None:
        _check_host("bind", self.bind)
        rules = (
            (self.port in _PORTS, f"port is {self.port}; it must be 1 to 65535"),
            (self.websocket_port is None or self.websocket_port in _PORTS,
             f"websocket_port is {self.websocket_port}; it must be 1 to 65535"),
            (self.websocket_port != self.port, f"websocket_port and port are both {self.port}; change one"),
            (not (self.allow_anonymous and self.password_file),
             "allow_anonymous and password_file exclude each other; choose one"),
            (self.allow_anonymous or self.password_file is not None or _is_loopback(self.bind),
             f"bind is {self.bind}, so the network can reach the embedded broker without a password; "
             "set password_file, or allow_anonymous = true to let everybody publish and subscribe, "
             "or bind to 127.0.0.1"),
        )  # fmt: skip
        for holds, message in rules:
            if not holds:
                raise MqttSettingsError(message)

    @property
    def address(self) -> str:
        """Where the broker listens, as `host:port`, for messages."""
        return join_address(self.bind, self.port)


def join_address(host: str, port: int) -> str:
    """`host:port`, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _make_member(settings: MqttSettings, field: str, kind: type[StrEnum]) -> None:
    value = getattr(settings, field)
    try:
        msgspec.structs.force_setattr(settings, field, kind(value))
    except ValueError:
        raise MqttSettingsError(f"{field} is {value!r}; choose {' or '.join(kind)}") from None


def _check_host(field: str, host: str) -> None:
    if "://" in host:
        raise MqttSettingsError(f"{field} is {host!r}; give the host alone, and the port in its own field")
    try:
        # A name that cannot be encoded would end paho's network thread with a UnicodeError later on.
        fits = bool(host.encode("idna")) and host.isprintable() and not set(host) & set(" /@[]")
    except UnicodeError:
        fits = False
    if not fits:
        raise MqttSettingsError(f"{field} is {host!r}; it must be a host name or an IP address")


def _is_loopback(bind: str) -> bool:
    try:
        return ipaddress.ip_address(bind).is_loopback
    except ValueError:
        return bind == "localhost"
