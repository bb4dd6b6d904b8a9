"""Each step of the way to the broker, and what is said where it ends."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.brokers import Broker, Mosquitto, Wire, free_port, program, settings_of
from support.certificates import Authority, tls_listener
from support.subscriber import Subscriber

from edge.mqtt.client import Publisher
from edge.mqtt.probe import Stage, Step, probe
from edge.mqtt.settings import PASSWORD_VARIABLE, MqttSettings, Protocol


def steps(stages: list[Stage]) -> list[tuple[str, bool]]:
    return [(stage.step.value, stage.ok) for stage in stages]


def end(settings: MqttSettings) -> Stage:
    """The last step, which must be the only one that fails."""
    *before, last = probe(settings, timeout_s=2.0)
    assert all(stage.ok for stage in before)
    assert not last.ok
    assert last.message
    assert last.remedy
    return last


def test_probe_when_all_is_well_then_goes_there_and_back(own_broker: Broker, device: str) -> None:
    stages = probe(settings_of(own_broker, device))
    assert steps(stages) == [
        ("DNS", True), ("TCP", True), ("login", True), ("publish", True), ("subscribe back", True),
    ]  # fmt: skip
    assert not any(stage.remedy for stage in stages)


def test_probe_when_affectd_runs_then_does_not_disturb_it(mosquitto: Mosquitto, device: str) -> None:
    settings = MqttSettings(host="127.0.0.1", port=mosquitto.port, device=device)
    topics = settings.topics
    with Subscriber(mosquitto.port, f"affectd/{device}/#") as live, Publisher(settings) as publisher:
        live.wait_for(topics.availability, b"online")
        assert all(stage.ok for stage in probe(settings))
        publisher.stop()
        heard = [message.topic for message in live.collect_until(topics.availability, b"offline")]
    assert heard == [f"{topics.command}/doctor/result", topics.availability]


def test_probe_when_the_name_is_not_known_then_ends_at_dns(device: str) -> None:
    last = end(MqttSettings(host="affectd-test.invalid", device=device))
    assert last.step is Step.DNS
    assert "affectd-test.invalid" in last.message


def test_probe_when_nothing_listens_then_ends_at_tcp(device: str, deaf_port: int) -> None:
    last = end(MqttSettings(host="127.0.0.1", port=deaf_port, device=device))
    assert (last.step, last.message) == (Step.TCP, "nothing listens there")


def test_probe_when_something_else_listens_then_ends_at_the_login(device: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        last = end(MqttSettings(host="127.0.0.1", port=mute.getsockname()[1], device=device))
    assert last.step is Step.LOGIN
    assert "without an answer" in last.message


def test_probe_when_the_network_stalls_after_the_login_then_says_so(
    mosquitto: Mosquitto, device: str
) -> None:
    with Wire(mosquitto.port) as wire:
        wire.open()
        wire.hold_answers()
        last = end(MqttSettings(host="127.0.0.1", port=wire.port, device=device))
        wire.release_answers()
    assert last.step is Step.LOGIN


# Logging in and access control.


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """`writer` may not read, `reader` may not write."""
    folder = tmp_path_factory.mktemp("guarded")
    users, acl = folder / "users", folder / "acl"
    users.touch(mode=0o600)
    for user in ("writer", "reader"):
        subprocess.run([program("mosquitto_passwd"), "-b", str(users), user, "right"], check=True)
    acl.write_text("user writer\ntopic write affectd/#\nuser reader\ntopic read affectd/#\n")
    broker = Mosquitto(folder, f"allow_anonymous false\npassword_file {users}\nacl_file {acl}")
    broker.start()
    yield broker
    broker.stop()


def test_probe_when_the_password_is_wrong_then_ends_at_the_login_and_does_not_show_it(
    guarded: Mosquitto, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PASSWORD_VARIABLE, "not-the-password")
    last = end(MqttSettings(host="127.0.0.1", port=guarded.port, device=device, username="writer"))
    assert last.step is Step.LOGIN
    assert "refuses username 'writer'" in last.message
    assert "password_file" in last.remedy
    assert "not-the-password" not in f"{last}"


def test_probe_when_the_password_file_is_missing_then_names_it(guarded: Mosquitto, device: str) -> None:
    last = end(
        MqttSettings(
            host="127.0.0.1", port=guarded.port, device=device, username="writer", password_file="/missing"
        )
    )
    assert last.step is Step.LOGIN
    assert "/missing" in last.message


@pytest.mark.parametrize(
    ("username", "protocol", "step", "deed"),
    [
        ("reader", Protocol.AUTO, Step.PUBLISH, "may not write"),
        ("writer", Protocol.AUTO, Step.SUBSCRIBE, "may not read"),
        # Before version 5 a broker does not say that it throws a message away.
        ("reader", Protocol.V3_1_1, Step.SUBSCRIBE, "may not write, or may not read,"),
    ],
)
def test_probe_when_access_is_denied_then_says_what_is_not_allowed(
    guarded: Mosquitto,
    device: str,
    monkeypatch: pytest.MonkeyPatch,
    username: str,
    protocol: Protocol,
    step: Step,
    deed: str,
) -> None:
    monkeypatch.setenv(PASSWORD_VARIABLE, "right")
    last = end(
        MqttSettings(host="127.0.0.1", port=guarded.port, device=device, username=username, protocol=protocol)
    )
    assert last.step is step
    assert f"username {username!r} {deed}" in last.message
    assert "access control list" in last.remedy


# TLS.


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def strict(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A broker that asks for a certificate."""
    port = free_port()
    more = (f"cafile {authority.certificate}", "require_certificate true")
    listener = tls_listener(port, *authority.sign("strict"), *more)
    broker = Mosquitto(tmp_path_factory.mktemp("strict"), listener=listener)
    broker.start()
    yield port
    broker.stop()


def test_probe_when_tls_and_our_certificate_are_right_then_goes_there_and_back(
    authority: Authority, strict: int, device: str
) -> None:
    certificate, key = authority.sign("client")
    stages = probe(
        MqttSettings(
            port=strict,
            device=device,
            tls=True,
            ca_file=str(authority.certificate),
            cert_file=str(certificate),
            key_file=str(key),
        )
    )
    assert [(stage.step, stage.ok) for stage in stages][2] == (Step.TLS, True)
    assert all(stage.ok for stage in stages)


def test_probe_when_the_broker_asks_for_a_certificate_then_says_which_settings_to_give(
    authority: Authority, strict: int, device: str
) -> None:
    last = end(MqttSettings(port=strict, device=device, tls=True, ca_file=str(authority.certificate)))
    assert last.step is Step.TLS
    assert "asks for a certificate" in last.message
    assert "cert_file" in last.remedy


def test_probe_when_our_certificate_is_not_accepted_then_names_it(
    authority: Authority, strict: int, device: str, tmp_path: Path
) -> None:
    certificate, key = Authority(tmp_path, "stranger").sign("client")
    last = end(
        MqttSettings(
            port=strict,
            device=device,
            tls=True,
            ca_file=str(authority.certificate),
            cert_file=str(certificate),
            key_file=str(key),
        )
    )
    assert last.step is Step.TLS
    assert "does not accept our certificate" in last.message
    assert str(certificate) in last.remedy
