"""Logging in, access control and TLS, with Mosquitto."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.brokers import Mosquitto, free_port, program
from support.loglines import Log
from support.subscriber import Subscriber, make_state, make_turn

from edge.mqtt.client import Publisher
from edge.mqtt.settings import PASSWORD_VARIABLE, MqttSettings, Protocol


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """Lets `kiosk` say its availability and state only, and `dashboard` read everything."""
    folder = tmp_path_factory.mktemp("guarded")
    users, acl = folder / "users", folder / "acl"
    users.touch(mode=0o600)
    for user in ("kiosk", "dashboard"):
        subprocess.run([program("mosquitto_passwd"), "-b", str(users), user, f"{user}-pass"], check=True)
    acl.write_text(
        "user kiosk\ntopic write affectd/+/availability\ntopic write affectd/+/state\n"
        "user dashboard\ntopic read #\n"
    )
    broker = Mosquitto(folder, f"allow_anonymous false\npassword_file {users}\nacl_file {acl}")
    broker.start()
    yield broker
    broker.stop()


def dashboard(broker: Mosquitto, device: str) -> Subscriber:
    return Subscriber(broker.port, f"affectd/{device}/#", "dashboard", "dashboard-pass")


def test_password_when_right_then_the_device_is_online(
    guarded: Mosquitto, device: str, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text("kiosk-pass\n")
    settings = MqttSettings(
        host="127.0.0.1", port=guarded.port, device=device, username="kiosk", password_file=str(file)
    )
    with dashboard(guarded, device) as live, Publisher(settings):
        live.wait_for(settings.topics.availability, b"online")


@pytest.mark.parametrize("protocol", list(Protocol))
@pytest.mark.parametrize("username", ["kiosk", None])
def test_password_when_wrong_then_the_log_says_what_to_do_and_not_the_password(
    guarded: Mosquitto,
    device: str,
    protocol: Protocol,
    username: str | None,
    log: Log,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(PASSWORD_VARIABLE, "not-the-password")
    settings = MqttSettings(
        host="127.0.0.1", port=guarded.port, device=device, username=username, protocol=protocol
    )
    with Publisher(settings) as publisher:
        line = log.wait_for("refuses")
        assert not publisher.connected
        assert publisher.alive
    assert "password_file or AFFECTD_MQTT_PASSWORD" in line
    assert ("kiosk" if username else "anonymous") in line
    assert "not-the-password" not in "".join(log.lines)


def test_acl_when_it_forbids_turns_then_the_log_says_so_and_the_rest_goes_on(
    guarded: Mosquitto,
    device: str,
    log: Log,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(PASSWORD_VARIABLE, "kiosk-pass")
    settings = MqttSettings(
        host="127.0.0.1", port=guarded.port, device=device, username="kiosk", protocol=Protocol.V5
    )
    topics = settings.topics
    with dashboard(guarded, device) as live:
        with Publisher(settings) as publisher:
            publisher.publish_turn(make_turn("t1"))
            publisher.publish_turn(make_turn("t2"))
            assert topics.turn in log.wait_for("access control list")
            publisher.publish_state(make_state())
            live.wait_for(topics.state)
        messages = live.collect_until(topics.availability, b"offline")
    assert topics.turn not in [message.topic for message in messages]
    assert sum("access control list" in line for line in log.lines) == 1


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for localhost, and another that nobody uses."""
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("broker", "other"):
        subprocess.run(
            [
                program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                "-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost",
                "-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.pem"),
            ],
            check=True,
            capture_output=True,
        )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def tls_port_and_broker(
    certificates: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[int, Mosquitto]]:
    port = free_port()
    tls = f"listener {port}\ncertfile {certificates}/broker.pem\nkeyfile {certificates}/broker.key"
    broker = Mosquitto(tmp_path_factory.mktemp("tls"), listener=tls)
    broker.start()
    yield port, broker
    broker.stop()


def test_tls_when_the_certificate_is_trusted_then_the_device_is_online(
    tls_port_and_broker: tuple[int, Mosquitto], certificates: Path, device: str
) -> None:
    port, broker = tls_port_and_broker
    settings = MqttSettings(port=port, device=device, tls=True, ca_file=str(certificates / "broker.pem"))
    with Subscriber(broker.port, f"affectd/{device}/#") as live, Publisher(settings):
        live.wait_for(settings.topics.availability, b"online")


def test_tls_when_the_broker_asks_for_a_certificate_then_ours_is_shown(
    certificates: Path, tmp_path: Path, device: str, log: Log
) -> None:
    port = free_port()
    listener = (
        f"listener {port}\ncertfile {certificates}/broker.pem\nkeyfile {certificates}/broker.key\n"
        f"cafile {certificates}/other.pem\nrequire_certificate true"
    )
    broker = Mosquitto(tmp_path, listener=listener)
    broker.start()
    files = {"ca_file": str(certificates / "broker.pem")}
    with Publisher(MqttSettings(port=port, device=device, tls=True, **files)) as publisher:
        log.wait_for("cert_file")
        assert not publisher.connected
    files |= {"cert_file": str(certificates / "other.pem"), "key_file": str(certificates / "other.key")}
    settings = MqttSettings(port=port, device=device, tls=True, **files)
    with Subscriber(broker.port, f"affectd/{device}/#") as live, Publisher(settings):
        live.wait_for(settings.topics.availability, b"online")
    broker.stop()


@pytest.mark.parametrize(
    ("host", "ca"), [("localhost", "other.pem"), ("localhost", None), ("127.0.0.1", "broker.pem")]
)
def test_tls_when_the_certificate_is_not_trusted_then_the_log_says_what_to_check(
    tls_port_and_broker: tuple[int, Mosquitto],
    certificates: Path,
    device: str,
    host: str,
    ca: str | None,
    log: Log,
) -> None:
    port, _ = tls_port_and_broker
    ca_file = None if ca is None else str(certificates / ca)
    with Publisher(MqttSettings(host=host, port=port, device=device, tls=True, ca_file=ca_file)) as publisher:
        assert "check ca_file" in log.wait_for("certificate is not trusted")
        assert not publisher.connected


def test_tls_when_only_one_side_expects_it_then_the_log_says_so(
    tls_port_and_broker: tuple[int, Mosquitto],
    certificates: Path,
    device: str,
    log: Log,
) -> None:
    port, broker = tls_port_and_broker
    with Publisher(MqttSettings(port=port, device=device)) as publisher:
        log.wait_for("without TLS")
        assert not publisher.wait_connected(0)
    with Publisher(MqttSettings(host="127.0.0.1", port=broker.port, device=device, tls=True)) as publisher:
        log.wait_for(f"check that port {broker.port} expects TLS")
        assert not publisher.wait_connected(0)
