"""The folder that `affectd provision` fills: files for the broker, each device and each other client."""

from __future__ import annotations

import errno
import secrets
import tomllib
from collections.abc import Sequence
from pathlib import Path

import msgspec

from edge.mqtt.errors import MqttSettingsError
from edge.mqtt.provision.access import Role, access_list
from edge.mqtt.provision.authority import Authority, ProvisionError, check_host, run
from edge.mqtt.settings import MqttSettings

PORT = 8883
_CREDENTIALS = "/run/credentials/affectd.service"
_ON_DEVICE, _ON_BROKER = "/etc/affectd", "/etc/mosquitto/affectd"
_PASSWORD_BYTES = 24
_MAX_DAYS = 36_500
_RESERVED = {*Role, "bridge"}
_FILE_IN_THE_WAY = "a file is where a folder should be; move it away, or choose another folder"
_REMEDIES = {
    errno.EACCES: "choose a folder that this user may write",
    errno.ENOSPC: "free some space",
    errno.ENOTDIR: _FILE_IN_THE_WAY,
    errno.EEXIST: _FILE_IN_THE_WAY,
}


def place(text: str, base_topic: str) -> MqttSettings:
    """The settings of a device at a place, [[SITE/]ROOM/]NAME.

    Raises:
        MqttSettingsError: when a part cannot be a topic level, or the name is reserved for another client.
    """
    *levels, name = text.split("/")
    if len(levels) > 2:
        raise MqttSettingsError(f"device {text!r}: give NAME, ROOM/NAME or SITE/ROOM/NAME")
    if name in _RESERVED:
        raise MqttSettingsError(f"device {text!r}: {name} is the name of another client; choose another")
    site, room = [None, None, *levels][-2:]
    return MqttSettings(device=name, room=room, site=site, base_topic=base_topic)


def provision(
    folder: Path,
    places: Sequence[str],
    hosts: Sequence[str],
    base_topic: str = "affectd",
    days: int = 3650,
    client_certificates: bool = False,
) -> list[str]:
    """Make what is missing, and the broker's files again for all devices; returns the devices' names.

    Args:
        folder: where to put it.
        places: of new devices, see `place`; existing devices stay.
        hosts: names and addresses of the broker; if empty, those of an earlier run stay.
        base_topic: of new devices.
        days: until new certificates expire.
        client_certificates: give every client a certificate and require it; later runs keep this.

    Raises:
        MqttSettingsError: when a name cannot be used; in that case nothing has been made.
        ProvisionError: when a program is missing or fails, or the folder cannot be written.
    """
    try:
        return _provision(folder, places, hosts, base_topic, days, client_certificates)
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0, "choose another folder")
        # A write that fails does not name its file.
        raise ProvisionError(f"{error.filename or folder}: {error.strerror}; {remedy}") from error


def _provision(
    folder: Path,
    places: Sequence[str],
    hosts: Sequence[str],
    base_topic: str,
    days: int,
    client_certificates: bool,
) -> list[str]:
    for host in hosts:
        check_host(host)
    if not 1 <= days <= _MAX_DAYS:
        raise MqttSettingsError(f"days is {days}; it must be 1 to {_MAX_DAYS}")
    devices = _known(folder)
    for text in places:
        new = place(text, base_topic)
        old = devices.setdefault(new.device, new)
        if old.topics != new.topics:
            raise MqttSettingsError(
                f"device {text!r}: there is a {new.device} already, at {old.topics.turn}; choose another "
                f"name, or, if that device has moved, remove {folder / 'devices' / new.device}"
            )
    broker = folder / "broker"
    if not hosts and not (broker / "broker.crt").exists():
        raise MqttSettingsError("the first run needs --host, the name under which devices reach the broker")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("ca", "broker", "devices", "users"):
        (folder / name).mkdir(mode=0o700, exist_ok=True)
    authority = Authority(folder / "ca", days)
    if hosts:
        authority.certify_broker(hosts, broker / "broker.crt", broker / "broker.key")
        (folder / "host").write_text(hosts[0], encoding="ascii")
    client_certificates |= (folder / "users" / Role.CONTROLLER / "client.crt").exists()
    clients = {name: folder / "devices" / name for name in devices}
    clients |= {role.value: folder / "users" / role.value for role in Role}
    for name, own in clients.items():
        _equip(own, name, authority, client_certificates)
    host = (folder / "host").read_text(encoding="ascii")
    for name, settings in devices.items():
        _write_settings(clients[name], msgspec.structs.replace(settings, host=host, port=PORT))
    _write_broker(broker, authority, devices, clients, client_certificates)
    return list(devices)


def _known(folder: Path) -> dict[str, MqttSettings]:
    """The devices of earlier runs."""
    found = {}
    for file in sorted(folder.glob("devices/*/mqtt.toml")):
        try:
            table = tomllib.loads(file.read_text(encoding="utf-8"))["mqtt"]
            settings = msgspec.convert(table, MqttSettings)
        except (OSError, KeyError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
            raise MqttSettingsError(f"{file}: {error}; fix it, or remove its folder and run again") from None
        found[settings.device] = settings
    return found


def _equip(folder: Path, name: str, authority: Authority, with_certificate: bool) -> None:
    """Write what a client needs to log in, as far as it is missing."""
    folder.mkdir(mode=0o700, exist_ok=True)
    password = folder / "mqtt-password"
    if not password.exists():
        _write_secret(password, secrets.token_urlsafe(_PASSWORD_BYTES) + "\n")
    (folder / "ca.crt").write_bytes(authority.certificate.read_bytes())
    if with_certificate and not (folder / "client.crt").exists():
        authority.certify_client(name, folder / "client.crt", folder / "mqtt-key")


def _write_settings(folder: Path, settings: MqttSettings) -> None:
    shown = {
        "host": settings.host,
        "port": settings.port,
        "device": settings.device,
        "base_topic": settings.base_topic,
        "site": settings.site,
        "room": settings.room,
        "username": settings.device,
        "password_file": f"{_CREDENTIALS}/mqtt-password",
        "tls": True,
        "ca_file": f"{_ON_DEVICE}/ca.crt",
    }
    if (folder / "client.crt").exists():
        shown |= {"cert_file": f"{_ON_DEVICE}/client.crt", "key_file": f"{_CREDENTIALS}/mqtt-key"}
    lines = [
        f"{key} = {msgspec.json.encode(value).decode()}" for key, value in shown.items() if value is not None
    ]
    text = "\n".join(["# Replaces the table [mqtt] in /etc/affectd/affectd.toml.", "[mqtt]", *lines, ""])
    (folder / "mqtt.toml").write_text(text, encoding="utf-8")


def _write_broker(
    broker: Path,
    authority: Authority,
    devices: dict[str, MqttSettings],
    clients: dict[str, Path],
    client_certificates: bool,
) -> None:
    (broker / "ca.crt").write_bytes(authority.certificate.read_bytes())
    topics = [settings.topics for settings in devices.values()]
    (broker / "affectd.acl").write_text(access_list(topics), encoding="utf-8")
    fresh = broker / "affectd.passwd.new"
    _write_secret(fresh, "")
    for name, folder in clients.items():
        password = (folder / "mqtt-password").read_text(encoding="ascii").strip()
        # Given twice, as it asks, on standard input: every user of the machine could read an argument.
        run("mosquitto_passwd", fresh, name, text=f"{password}\n{password}\n")
    fresh.rename(broker / "affectd.passwd")
    asks = f"cafile {_ON_BROKER}/ca.crt\nrequire_certificate true\n" if client_certificates else ""
    (broker / "affectd.conf").write_text(
        "# Made by `affectd provision`. Copy it to /etc/mosquitto/conf.d/, and the rest of this folder to\n"
        f"# {_ON_BROKER}/.\n"
        f"listener {PORT}\n"
        f"certfile {_ON_BROKER}/broker.crt\n"
        f"keyfile {_ON_BROKER}/broker.key\n"
        f"{asks}"
        "allow_anonymous false\n"
        f"password_file {_ON_BROKER}/affectd.passwd\n"
        f"acl_file {_ON_BROKER}/affectd.acl\n"
        "persistence true\n"
        "autosave_interval 300\n"
        # What waits for a client, or for the broker of a bridge, that is away: Mosquitto's default is 1,000.
        "max_queued_messages 20000\n"
        "max_queued_bytes 20000000\n",
        encoding="utf-8",
    )


def _write_secret(file: Path, text: str) -> None:
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_text(text, encoding="ascii")
