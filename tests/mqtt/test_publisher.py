"""The contract on the wire, on a broker that stays."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys

import msgspec
import pytest
from support.brokers import TIMEOUT_S, Broker, Mosquitto, free_port, settings_of
from support.subscriber import Subscriber, make_state, make_turn

from edge.mqtt.client import Publisher
from edge.mqtt.messages import State, Turn, encode
from edge.mqtt.settings import MqttSettings, Protocol


def settings_for(port: int, device: str, **changes: object) -> MqttSettings:
    return MqttSettings(host="127.0.0.1", port=port, device=device, **changes)  # type: ignore[arg-type]


def test_availability_when_started_and_stopped_then_is_retained_online_and_offline(
    broker: Broker, device: str
) -> None:
    settings = settings_of(broker, device)
    topic = settings.topics.availability
    publisher = Publisher(settings)
    publisher.start()
    with Subscriber(broker.port, topic) as live:
        live.wait_for(topic, b"online")
        with Subscriber(broker.port, topic) as late:
            message = late.wait_for(topic)
            assert (message.payload, message.retain) == (b"online", True)
        publisher.stop()
        assert live.wait_for(topic, b"offline").qos == 1
    with Subscriber(broker.port, topic) as late:
        message = late.wait_for(topic)
        assert (message.payload, message.retain) == (b"offline", True)


def test_availability_when_the_process_is_killed_then_the_last_will_says_offline(
    broker: Broker, device: str
) -> None:
    topic = settings_of(broker, device).topics.availability
    program = (
        "import sys\nfrom edge.mqtt.client import Publisher\nfrom edge.mqtt.settings import MqttSettings\n"
        "port, device, version = sys.argv[1:]\n"
        "settings = MqttSettings(host='127.0.0.1', port=int(port), device=device, protocol=version)\n"
        "Publisher(settings).start()\n"
        "sys.stdin.read()"
    )
    with Subscriber(broker.port, topic) as live:
        child = subprocess.Popen(
            [sys.executable, "-c", program, str(broker.port), device, broker.version], stdin=subprocess.PIPE
        )
        try:
            live.wait_for(topic, b"online")
        finally:
            child.send_signal(signal.SIGKILL)
            child.communicate()
        assert live.wait_for(topic).payload == b"offline"
    with Subscriber(broker.port, topic) as late:
        message = late.wait_for(topic)
        assert (message.payload, message.retain) == (b"offline", True)


def test_state_when_published_several_times_then_the_last_value_is_retained(
    broker: Broker, device: str
) -> None:
    settings = settings_of(broker, device)
    topic = settings.topics.state
    with Publisher(settings) as publisher, Subscriber(broker.port, topic) as live:
        for emotion in ("happy", "sad", "uncertain"):
            publisher.publish_state(make_state(emotion))
        last = make_state("none")
        publisher.publish_state(last)
        assert live.wait_for(topic, encode(last)).qos == 1
        with Subscriber(broker.port, topic) as late:
            message = late.wait_for(topic)
            assert message.retain
            assert msgspec.json.decode(message.payload, type=State).emotion == "none"


def test_turn_when_published_then_has_qos_1_and_is_not_retained(broker: Broker, device: str) -> None:
    settings = settings_of(broker, device)
    topics = settings.topics
    with Publisher(settings) as publisher, Subscriber(broker.port, topics.turn) as live:
        turn = make_turn("t1")
        publisher.publish_turn(turn)
        message = live.wait_for(topics.turn)
        assert msgspec.json.decode(message.payload, type=Turn) == turn
        assert (message.qos, message.retain) == (1, False)
        with Subscriber(broker.port, topics.turn) as late:
            late.say(topics.turn, "end")
            # amqtt also passes on retained messages of topics that others have subscribed to.
            came = [message for message in late.collect_until(topics.turn) if message.topic == topics.turn]
            assert [message.payload for message in came] == [b"end"]


def test_turns_when_published_in_a_burst_then_arrive_once_and_in_order(broker: Broker, device: str) -> None:
    settings = settings_of(broker, device)
    ids = [f"t{number}" for number in range(200)]
    with Subscriber(broker.port, settings.topics.turn) as live, Publisher(settings) as publisher:
        for id_ in ids:
            publisher.publish_turn(make_turn(id_))
        assert live.turn_ids(settings.topics.turn, ids[-1]) == ids


def test_stop_when_turns_are_queued_then_delivers_them_before_offline(broker: Broker, device: str) -> None:
    settings = settings_of(broker, device)
    topics = settings.topics
    with Subscriber(broker.port, f"affectd/{device}/#") as live:
        publisher = Publisher(settings)
        publisher.start()
        assert publisher.wait_connected(TIMEOUT_S)
        for number in range(20):
            publisher.publish_turn(make_turn(f"t{number}"))
        publisher.stop(timeout_s=TIMEOUT_S)
        assert publisher.queued == 0
        messages = live.collect_until(topics.availability, b"offline")
        assert [m.topic for m in messages].count(topics.turn) == 20


@pytest.mark.timeout(60)
def test_stop_when_nothing_listens_then_does_not_wait(device: str, deaf_port: int) -> None:
    publisher = Publisher(settings_for(deaf_port, device))
    publisher.start()
    publisher.publish_turn(make_turn("t1"))
    publisher.stop(timeout_s=3600)
    assert publisher.queued == 1


@pytest.mark.timeout(60)
def test_stop_when_the_broker_never_answers_then_does_not_wait(device: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        publisher = Publisher(settings_for(silent.getsockname()[1], device))
        publisher.start()
        silent.accept()
        publisher.stop(timeout_s=3600)
        publisher.stop(timeout_s=3600)


def test_stop_when_never_started_then_does_nothing(device: str) -> None:
    Publisher(settings_for(free_port(), device)).stop()


def test_publisher_when_the_broker_speaks_mqtt_5_then_uses_it(mosquitto: Mosquitto, device: str) -> None:
    settings = settings_of(mosquitto, device, protocol=Protocol.V5)
    with Subscriber(mosquitto.port, f"affectd/{device}/#") as live, Publisher(settings) as publisher:
        publisher.publish_state(make_state())
        publisher.publish_turn(make_turn("t1"))
        topics = [message.topic for message in live.collect_until(settings.topics.turn)]
        assert topics == [settings.topics.availability, settings.topics.state, settings.topics.turn]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_alive_when_the_network_thread_dies_then_is_false(device: str) -> None:
    settings = settings_for(free_port(), device)
    # The settings refuse such a host; here it stands for any fault inside the network thread.
    msgspec.structs.force_setattr(settings, "host", "a..b")
    publisher = Publisher(settings)
    assert publisher.alive
    publisher.start()
    thread = None
    while thread is None:
        thread = publisher._connection._thread
    thread.join(TIMEOUT_S)
    assert not publisher.alive
    assert not publisher.connected
    publisher.stop()
