from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from support.brokers import TIMEOUT_S, free_port
from support.programs import AFFECTD
from support.subscriber import Subscriber, make_state

from edge.mqtt.broker import EmbeddedBroker
from edge.mqtt.client import Publisher
from edge.mqtt.errors import BrokerError, BrokerNotInstalledError, MqttSettingsError, PortInUseError
from edge.mqtt.settings import PASSWORD_VARIABLE, BrokerSettings, MqttSettings, Protocol

needs_amqtt = pytest.mark.skipif(
    importlib.util.find_spec("amqtt") is None, reason="amqtt is not installed: pip install 'affectd[broker]'"
)


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@needs_amqtt
def test_broker_when_started_and_stopped_then_listens_in_between() -> None:
    port = free_port()
    broker = EmbeddedBroker(BrokerSettings(port=port))
    assert not broker.alive
    with broker:
        assert broker.alive
        assert is_listening(port)
    assert not broker.alive
    assert not is_listening(port)
    with broker:
        assert is_listening(port)


@needs_amqtt
def test_broker_when_the_port_is_in_use_then_says_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        broker = EmbeddedBroker(BrokerSettings(port=port))
        with pytest.raises(PortInUseError, match=rf"127\.0\.0\.1:{port}.*choose another port") as caught:
            broker.start()
        assert caught.value.exit_code == 69
        assert not broker.alive


@needs_amqtt
def test_broker_when_the_websocket_port_is_in_use_then_names_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortInUseError, match=str(port)):
            EmbeddedBroker(BrokerSettings(port=free_port(), websocket_port=port)).start()


@needs_amqtt
def test_broker_when_the_address_is_not_ours_then_says_why() -> None:
    # 192.0.2.0/24 is reserved for documentation.
    with pytest.raises(BrokerError, match=r"192\.0\.2\.1.*check bind and port"):
        EmbeddedBroker(BrokerSettings(bind="192.0.2.1", port=free_port(), allow_anonymous=True)).start()


def test_broker_when_amqtt_is_missing_then_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "amqtt.py").write_text("raise ImportError('No module named amqtt')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(BrokerNotInstalledError, match=r"pip install '\.\[broker\]'"):
        EmbeddedBroker(BrokerSettings(port=free_port())).start()


@needs_amqtt
def test_broker_when_its_parent_is_killed_then_ends_too() -> None:
    port = free_port()
    program = (
        "import sys; from edge.mqtt.broker import EmbeddedBroker\n"
        "from edge.mqtt.settings import BrokerSettings\n"
        "EmbeddedBroker(BrokerSettings(port=int(sys.argv[1]))).start(); print('up', flush=True)\n"
        "sys.stdin.read()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert parent.stdout is not None
    try:
        assert parent.stdout.readline() == b"up\n"
        assert is_listening(port)
    finally:
        parent.send_signal(signal.SIGKILL)
        # The broker inherits standard error, so this pipe ends when the last of the two has ended.
        parent.communicate()
    assert not is_listening(port)


@needs_amqtt
def test_broker_when_its_group_is_signalled_then_stays_until_its_parent_has_said_offline(device: str) -> None:
    settings = MqttSettings(host="127.0.0.1", port=free_port(), device=device, protocol=Protocol.V3_1_1)
    topic = settings.topics.availability
    with EmbeddedBroker(BrokerSettings(port=settings.port)) as broker:
        publisher = Publisher(settings)
        publisher.start()
        with Subscriber(settings.port, topic) as live:
            live.wait_for(topic, b"online")
            assert broker.pid is not None
            os.kill(broker.pid, signal.SIGINT)
            os.kill(broker.pid, signal.SIGTERM)
            publisher.stop()
            live.wait_for(topic, b"offline")
        assert broker.alive


@needs_amqtt
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_program_when_signalled_then_ends_well(number: signal.Signals) -> None:
    port = free_port()
    alone = subprocess.Popen(
        [*AFFECTD, "broker", "--port", str(port)],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert alone.stderr is not None
    try:
        assert f"listens on 127.0.0.1:{port}".encode() in alone.stderr.readline()
        assert is_listening(port)
    finally:
        alone.send_signal(number)
        alone.communicate()
    assert alone.returncode == 0


@needs_amqtt
def test_password_file_when_given_then_only_its_users_are_let_in(
    tmp_path: Path, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pwdlib import PasswordHash  # noqa: PLC0415  # comes with amqtt

    users = tmp_path / "users"
    users.write_text(f"kiosk:{PasswordHash.recommended().hash('kiosk-pass')}\n")
    port = free_port()
    with EmbeddedBroker(BrokerSettings(port=port, password_file=str(users))):
        monkeypatch.setenv(PASSWORD_VARIABLE, "kiosk-pass")
        settings = MqttSettings(
            host="127.0.0.1", port=port, device=device, username="kiosk", protocol=Protocol.V3_1_1
        )
        topics = settings.topics
        with Subscriber(port, topics.state, "kiosk", "kiosk-pass") as live, Publisher(settings) as publisher:
            publisher.publish_state(make_state())
            live.wait_for(topics.state)
        for username, password in ((None, None), ("kiosk", "wrong"), ("guest", "kiosk-pass")):
            client = Client(CallbackAPIVersion.VERSION2, reconnect_on_failure=False)
            client.username_pw_set(username, password)
            refused = []
            client.on_connect = lambda *arguments, refused=refused: refused.append(arguments[3].is_failure)
            client.connect("127.0.0.1", port)
            client.loop_forever()
            assert refused == [True], username


def test_password_file_when_missing_then_the_error_names_it(tmp_path: Path) -> None:
    pytest.importorskip("amqtt", reason="amqtt is not installed")
    missing = tmp_path / "missing"
    with pytest.raises(MqttSettingsError, match=str(missing)):
        EmbeddedBroker(BrokerSettings(port=free_port(), password_file=str(missing))).start()


@needs_amqtt
def test_websocket_when_its_port_is_set_then_a_browser_is_let_in(device: str) -> None:
    port, websocket_port = free_port(), free_port()
    with EmbeddedBroker(BrokerSettings(port=port, websocket_port=websocket_port)):
        settings = MqttSettings(host="127.0.0.1", port=port, device=device, protocol=Protocol.V3_1_1)
        with Publisher(settings) as publisher:
            publisher.publish_state(make_state())
            browser = Client(CallbackAPIVersion.VERSION2, transport="websockets")
            came = []

            def on_message(client: Client, _userdata: object, message: object) -> None:
                came.append(message.topic)
                client.disconnect()

            browser.on_connect = lambda client, *_: client.subscribe(settings.topics.state)
            browser.on_message = on_message
            browser.connect("127.0.0.1", websocket_port)
            browser.loop_forever()
            assert came[0] == settings.topics.state


@needs_amqtt
def test_broker_when_a_device_does_not_know_its_version_then_lets_it_in_all_the_same(device: str) -> None:
    port = free_port()
    with EmbeddedBroker(BrokerSettings(port=port)):
        settings = MqttSettings(host="127.0.0.1", port=port, device=device, protocol=Protocol.AUTO)
        with Publisher(settings) as publisher, Subscriber(port, settings.topics.availability) as live:
            assert publisher.wait_connected(TIMEOUT_S)
            live.wait_for(settings.topics.availability, b"online")
            assert publisher.alive
