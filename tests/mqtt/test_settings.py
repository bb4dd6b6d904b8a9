from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from edge.mqtt.client import Publisher
from edge.mqtt.errors import MqttSettingsError
from edge.mqtt.settings import PASSWORD_VARIABLE, BrokerSettings, MqttSettings, Protocol, default_device


def test_settings_when_default_then_name_the_device_after_the_host() -> None:
    settings = MqttSettings()
    assert settings.device == default_device()
    assert settings.client_id == f"affectd-{settings.device}"
    assert settings.protocol is Protocol.AUTO


def test_settings_when_read_from_toml_then_are_typed() -> None:
    settings = msgspec.toml.decode('device = "pi"\nprotocol = "5"\nclient_id = "x"', type=MqttSettings)
    assert (settings.device, settings.protocol, settings.client_id) == ("pi", Protocol.V5, "x")


@pytest.mark.parametrize(
    "text", ['hots = "x"', 'device = "Pi 4"', "port = 0", 'protocol = "4"', 'host = "a..b"']
)
def test_settings_when_read_from_unfit_toml_then_are_refused(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.toml.decode(text, type=MqttSettings)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"host": ""}, "host"),
        ({"host": "mqtt://broker"}, "host"),
        ({"host": "a..b"}, "host"),
        ({"host": "broker lan"}, "host"),
        ({"host": "x" * 64}, "host"),
        ({"port": 0}, "port"),
        ({"port": 65_536}, "port"),
        ({"device": "Küche"}, "device"),
        ({"base_topic": "a/#"}, "base_topic"),
        ({"site": "a/b"}, "site"),
        ({"room": "Living Room"}, "room is 'Living Room'.*'living-room'"),
        ({"room": ""}, "room"),
        ({"base_topic": "x" * 252, "site": "north"}, "base_topic"),
        ({"keepalive_s": 0}, "keepalive_s"),
        ({"username": ""}, "username"),
        ({"password_file": "x"}, "username"),
        ({"tls": True, "cert_file": "x"}, "key_file"),
        ({"ca_file": "x"}, "tls"),
        ({"protocol": "3.1"}, "protocol"),
        ({"transport": "udp"}, "transport"),
        ({"path": "mqtt"}, "path"),
        ({"path": "/a b"}, "path"),
    ],
)
def test_settings_when_a_value_makes_no_sense_then_the_error_names_it(
    changes: dict[str, object], field: str
) -> None:
    with pytest.raises(MqttSettingsError, match=field) as caught:
        MqttSettings(**{"device": "pi", **changes})
    assert caught.value.exit_code == 78


@pytest.mark.parametrize(
    ("levels", "topic"),
    [
        ({}, "affectd/pi/turn"),
        ({"room": "kitchen"}, "affectd/kitchen/pi/turn"),
        ({"site": "north", "room": "kitchen"}, "affectd/north/kitchen/pi/turn"),
        ({"base_topic": "museum/affectd", "site": "north"}, "museum/affectd/north/pi/turn"),
    ],
)
def test_topics_when_site_and_room_are_set_then_stand_above_the_device(
    levels: dict[str, str], topic: str
) -> None:
    assert MqttSettings(device="pi", **levels).topics.turn == topic


def test_client_id_when_two_rooms_have_a_device_of_one_name_then_differs() -> None:
    ids = {MqttSettings(device="mic", room=room).client_id for room in (None, "kitchen", "hall")}
    assert ids == {"affectd-mic", "affectd-kitchen-mic", "affectd-hall-mic"}


@pytest.mark.parametrize("host", ["localhost", "broker.lan", "192.168.1.2", "::1", "münchen.example"])
def test_settings_when_host_is_usable_then_is_taken(host: str) -> None:
    assert MqttSettings(host=host).host == host


def test_password_when_in_a_file_then_is_read_without_its_line_end(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(" se cret \r\n")
    assert MqttSettings(username="pi", password_file=str(file)).password() == " se cret "


def test_password_when_in_the_environment_then_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "password"
    file.write_text("file")
    monkeypatch.setenv(PASSWORD_VARIABLE, "environment")
    assert MqttSettings(username="pi", password_file=str(file)).password() == "environment"
    assert MqttSettings().password() is None


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff"])
def test_password_when_its_file_is_unusable_then_the_error_names_it(
    content: bytes | None, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(MqttSettingsError, match="password_file"):
        Publisher(MqttSettings(username="pi", password_file=str(file)))


def test_password_when_settings_are_shown_then_does_not_appear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PASSWORD_VARIABLE, "hunter2")
    settings = MqttSettings(username="pi")
    assert settings.password() == "hunter2"
    assert "hunter2" not in repr(settings) + msgspec.json.encode(settings).decode()


@pytest.mark.parametrize("field", ["ca_file", "cert_file"])
def test_tls_when_a_file_is_missing_then_the_error_names_it(field: str, tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.pem")
    files = {field: missing} if field == "ca_file" else {field: missing, "key_file": missing}
    with pytest.raises(MqttSettingsError, match=rf"{field} .*missing\.pem"):
        Publisher(MqttSettings(tls=True, **files))


@pytest.mark.parametrize("bind", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_broker_settings_when_bound_to_loopback_then_need_no_password(bind: str) -> None:
    assert BrokerSettings(bind=bind).bind == bind


@pytest.mark.parametrize("bind", ["0.0.0.0", "192.168.1.2", "::", "kiosk.lan"])
def test_broker_settings_when_bound_to_the_network_then_say_how_to_allow_it(bind: str) -> None:
    with pytest.raises(MqttSettingsError, match=r"password_file, or allow_anonymous = true"):
        BrokerSettings(bind=bind)
    assert BrokerSettings(bind=bind, allow_anonymous=True).allow_anonymous
    assert BrokerSettings(bind=bind, password_file="users").password_file == "users"


@pytest.mark.parametrize(
    "changes",
    [
        {"port": 0},
        {"websocket_port": 0},
        {"websocket_port": 1883},
        {"allow_anonymous": True, "password_file": "x"},
    ],
)
def test_broker_settings_when_a_value_makes_no_sense_then_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(MqttSettingsError):
        BrokerSettings(**changes)
