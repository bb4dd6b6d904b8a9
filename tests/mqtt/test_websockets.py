"""MQTT over WebSockets, to a real Mosquitto and to the embedded broker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.brokers import Mosquitto, Wire, free_port
from support.certificates import Authority, tls_listener
from support.loglines import Log
from support.missing import needs_amqtt
from support.subscriber import Subscriber, make_turn

from edge.mqtt.backoff import Backoff
from edge.mqtt.broker import EmbeddedBroker
from edge.mqtt.client import Publisher
from edge.mqtt.probe import Step, probe
from edge.mqtt.settings import BrokerSettings, MqttSettings, Protocol, Transport

WS = Transport.WEBSOCKETS


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def ports(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, int]]:
    """A Mosquitto that listens for MQTT alone, over WebSockets, and over WebSockets with TLS."""
    found = {"ws": free_port(), "wss": free_port()}
    secured = tls_listener(found["wss"], *authority.sign("broker"), "protocol websockets")
    listeners = f"listener {found['ws']}\nprotocol websockets\n{secured}"
    broker = Mosquitto(tmp_path_factory.mktemp("websockets"), listener=listeners)
    broker.start()
    yield {**found, "tcp": broker.port}
    broker.stop()


@pytest.mark.parametrize("protocol", list(Protocol))
def test_publisher_when_over_websockets_then_turns_survive_a_lost_connection(
    ports: dict[str, int], device: str, protocol: Protocol
) -> None:
    with Wire(ports["ws"]) as wire, Subscriber(ports["tcp"], f"affectd/{device}/#") as live:
        wire.open()
        settings = MqttSettings(
            host="127.0.0.1", port=wire.port, device=device, transport=WS, protocol=protocol
        )
        topics = settings.topics
        with Publisher(settings, backoff=Backoff(1.0)) as publisher:
            live.wait_for(topics.availability, b"online")
            publisher.publish_turn(make_turn("t0"))
            wire.cut()
            publisher.publish_turn(make_turn("t1"))
            ids = live.turn_ids(topics.turn, "t1")
    assert list(dict.fromkeys(ids)) == ["t0", "t1"]


def test_publisher_when_over_websockets_with_tls_then_is_online_and_the_probe_comes_back(
    ports: dict[str, int], authority: Authority, device: str
) -> None:
    settings = MqttSettings(
        port=ports["wss"], device=device, transport=WS, tls=True, ca_file=str(authority.certificate)
    )
    with Subscriber(ports["tcp"], f"affectd/{device}/#") as live, Publisher(settings):
        live.wait_for(settings.topics.availability, b"online")
    stages = probe(settings)
    assert all(stage.ok for stage in stages)
    assert [stage.step for stage in stages][2:5] == [Step.TLS, Step.WEBSOCKET, Step.LOGIN]


def test_websockets_when_the_port_speaks_none_then_log_and_probe_say_so(
    ports: dict[str, int], device: str, log: Log
) -> None:
    settings = MqttSettings(host="127.0.0.1", port=ports["tcp"], device=device, transport=WS)
    with Publisher(settings) as publisher:
        line = log.wait_for("does not speak MQTT over WebSockets at /mqtt")
        assert not publisher.connected
    assert 'transport = "tcp"' in line
    *_, last = probe(settings)
    assert (last.step, last.ok) == (Step.WEBSOCKET, False)
    assert "WebSockets" in last.message


def test_websockets_when_the_port_speaks_nothing_else_then_the_log_says_so(
    ports: dict[str, int], device: str, log: Log
) -> None:
    with Publisher(MqttSettings(host="127.0.0.1", port=ports["ws"], device=device)) as publisher:
        log.wait_for("without an answer")
        assert not publisher.connected


@needs_amqtt
def test_publisher_when_over_websockets_to_the_embedded_broker_then_is_online(device: str) -> None:
    port, websocket_port = free_port(), free_port()
    with EmbeddedBroker(BrokerSettings(port=port, websocket_port=websocket_port)):
        settings = MqttSettings(
            host="127.0.0.1",
            port=websocket_port,
            device=device,
            transport=WS,
            protocol=Protocol.V3_1_1,
        )
        with Subscriber(port, f"affectd/{device}/#") as live, Publisher(settings):
            live.wait_for(settings.topics.availability, b"online")
