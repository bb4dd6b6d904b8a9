"""Logging in, access control and TLS, with Mosquitto."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.brokers import Mosquitto, Wire, free_port, program, settings_of
from support.certificates import Authority, tls_listener
from support.loglines import Log
from support.subscriber import Subscriber, make_state, make_turn

from edge.mqtt.backoff import Backoff
from edge.mqtt.client import Publisher
from edge.mqtt.probe import Step, probe
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


@pytest.mark.parametrize("protocol", [Protocol.V3_1_1, Protocol.V5])
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
    settings = MqttSettings(host="127.0.0.1", port=guarded.port, device=device, username="kiosk")
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


def test_turns_when_the_acl_is_mended_then_arrive_after_all(device: str, tmp_path: Path, log: Log) -> None:
    acl = tmp_path / "acl"
    acl.write_text("topic read #\ntopic write affectd/+/availability\n")
    broker = Mosquitto(tmp_path, f"allow_anonymous true\nacl_file {acl}")
    broker.start()
    topic = f"affectd/{device}/turn"
    with Wire(broker.port) as wire, Subscriber(broker.port, topic) as live:
        wire.open()
        with Publisher(settings_of(broker, device, port=wire.port), backoff=Backoff(1.0)) as publisher:
            for id_ in ("t1", "t2"):
                publisher.publish_turn(make_turn(id_))
            assert f"may not write {topic}" in log.wait_for("access control list")
            assert publisher.queued == 2
            acl.write_text("topic readwrite #\n")
            broker.reload()
            wire.cut()
            assert live.turn_ids(topic, "t2") == ["t1", "t2"]
    broker.stop()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A CA that the other side knows nothing of."""
    return Authority(tmp_path_factory.mktemp("stranger"), "stranger")


@pytest.fixture(scope="module")
def tls(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, int]]:
    """A port for each certificate that a broker may have, and one without TLS."""
    ports = {"good": free_port(), "expired": free_port(), "for another name": free_port()}
    certificates = {
        "good": authority.sign("good"),
        "expired": authority.sign("expired", days=0),
        "for another name": authority.sign("other", "DNS:broker.example"),
    }
    listeners = [tls_listener(ports[kind], *certificates[kind]) for kind in ports]
    broker = Mosquitto(tmp_path_factory.mktemp("tls"), listener="\n".join(listeners))
    broker.start()
    yield {**ports, "plain": broker.port}
    broker.stop()


def test_tls_when_the_certificate_is_trusted_then_the_device_is_online(
    tls: dict[str, int], authority: Authority, device: str
) -> None:
    settings = MqttSettings(port=tls["good"], device=device, tls=True, ca_file=str(authority.certificate))
    with Subscriber(tls["plain"], f"affectd/{device}/#") as live, Publisher(settings):
        live.wait_for(settings.topics.availability, b"online")


@pytest.mark.parametrize(
    ("kind", "ca", "host", "cause", "remedy"),
    [
        ("good", "stranger", "localhost", "not from a CA that is trusted here", "check ca_file, now /"),
        ("good", None, "localhost", "not from a CA that is trusted here", "unset (the system's CAs)"),
        ("expired", "ours", "localhost", "has expired", "the clock of this device (2"),
        ("for another name", "ours", "localhost", "for another name than 'localhost'", "set host"),
        ("good", "ours", "127.0.0.1", "for another name than '127.0.0.1'", "set host"),
        ("plain", "ours", "localhost", "TLS", "expects TLS"),
    ],
)
def test_tls_when_the_broker_is_not_trusted_then_log_and_probe_say_why_and_what_to_do(
    tls: dict[str, int],
    authority: Authority,
    stranger: Authority,
    device: str,
    log: Log,
    kind: str,
    ca: str | None,
    host: str,
    cause: str,
    remedy: str,
) -> None:
    trusted = {"ours": str(authority.certificate), "stranger": str(stranger.certificate), None: None}[ca]
    settings = MqttSettings(host=host, port=tls[kind], device=device, tls=True, ca_file=trusted)
    with Publisher(settings) as publisher:
        line = log.wait_for(cause)
        assert not publisher.connected
    assert remedy in line
    *_, last = probe(settings)
    assert (last.step, last.ok) == (Step.TLS, False)
    assert cause in last.message
    assert remedy in last.remedy


def test_tls_when_the_broker_asks_for_a_certificate_then_ours_is_shown(
    authority: Authority, stranger: Authority, tmp_path: Path, device: str, log: Log
) -> None:
    port = free_port()
    more = (f"cafile {stranger.certificate}", "require_certificate true")
    broker = Mosquitto(tmp_path, listener=tls_listener(port, *authority.sign("asks"), *more))
    broker.start()
    files = {"ca_file": str(authority.certificate)}
    with Publisher(MqttSettings(port=port, device=device, tls=True, **files)) as publisher:
        log.wait_for("cert_file")
        assert not publisher.connected
    certificate, key = stranger.sign("client")
    files |= {"cert_file": str(certificate), "key_file": str(key)}
    settings = MqttSettings(port=port, device=device, tls=True, **files)
    with Subscriber(broker.port, f"affectd/{device}/#") as live, Publisher(settings):
        live.wait_for(settings.topics.availability, b"online")
    broker.stop()


def test_tls_when_the_broker_expects_it_and_we_do_not_speak_it_then_the_log_says_so(
    tls: dict[str, int], device: str, log: Log
) -> None:
    with Publisher(MqttSettings(port=tls["good"], device=device)) as publisher:
        log.wait_for("without TLS")
        assert not publisher.wait_connected(0)
