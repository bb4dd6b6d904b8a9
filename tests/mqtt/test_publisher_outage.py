"""The contract through late brokers, lost connections and restarts."""

from __future__ import annotations

import time

import msgspec
import pytest
from support.brokers import TIMEOUT_S, Broker, Mosquitto, Wire, settings_of
from support.loglines import Log
from support.old_broker import OldBroker
from support.subscriber import Subscriber, make_state, make_turn

from edge.mqtt.backoff import Backoff
from edge.mqtt.client import Publisher
from edge.mqtt.messages import State, encode
from edge.mqtt.outbox import MemoryOutbox
from edge.mqtt.outbox_settings import OutboxSettings
from edge.mqtt.settings import MqttSettings, Protocol


def test_turns_when_published_before_the_broker_is_there_then_arrive_in_order(
    broker: Broker, device: str, log: Log
) -> None:
    ids = [f"t{number}" for number in range(60)]
    with Wire(broker.port) as wire, Subscriber(broker.port, f"affectd/{device}/#") as live:
        settings = settings_of(broker, device, port=wire.port)
        with Publisher(settings) as publisher:
            publisher.publish_state(make_state("sad"))
            for id_ in ids:
                publisher.publish_turn(make_turn(id_))
            log.wait_for("nothing listens there")
            assert publisher.queued == len(ids)
            wire.open()
            live.wait_for(settings.topics.availability, b"online")
            live.wait_for(settings.topics.state)
            assert live.turn_ids(settings.topics.turn, ids[-1]) == ids


def test_turn_when_published_before_the_brokers_welcome_then_does_not_overtake(
    broker: Broker, device: str
) -> None:
    with Wire(broker.port) as wire, Subscriber(broker.port, f"affectd/{device}/turn") as live:
        wire.hold_answers()
        wire.open()
        settings = settings_of(broker, device, port=wire.port)
        publisher = Publisher(settings)
        publisher.publish_turn(make_turn("first"))
        publisher.publish_turn(make_turn("second"))
        publisher.start()
        assert wire.accepted.acquire(timeout=TIMEOUT_S)
        publisher.publish_turn(make_turn("third"))
        wire.release_answers()
        assert live.turn_ids(settings.topics.turn, "third") == ["first", "second", "third"]
        publisher.stop()


def wait_until_acknowledged(publisher: Publisher) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while publisher.queued:
        assert time.monotonic() < deadline, "the broker acknowledges nothing"
        time.sleep(0.01)


def test_turns_when_the_connection_breaks_before_the_acknowledgement_then_arrive_in_order(
    broker: Broker, device: str
) -> None:
    with Wire(broker.port) as wire, Subscriber(broker.port, f"affectd/{device}/turn") as live:
        wire.open()
        settings = settings_of(broker, device, port=wire.port)
        with Publisher(settings) as publisher:
            publisher.publish_turn(make_turn("t0"))
            assert live.turn_ids(settings.topics.turn, "t0") == ["t0"]
            # Else it would be t0 whose acknowledgement is held back, and t1 would wait for that.
            wait_until_acknowledged(publisher)
            wire.hold_answers()
            for id_ in ("t1", "t2", "t3"):
                publisher.publish_turn(make_turn(id_))
            assert live.turn_ids(settings.topics.turn, "t1")[-1] == "t1"
            wire.cut()
            ids = live.turn_ids(settings.topics.turn, "t3")
    # At least once: the broker may pass t1 on again, but never after a later one.
    assert ids == sorted(ids)
    assert {"t2", "t3"} <= set(ids)


def test_state_when_the_connection_breaks_before_the_acknowledgement_then_the_newest_is_retained(
    broker: Broker, device: str
) -> None:
    with Wire(broker.port) as wire, Subscriber(broker.port, f"affectd/{device}/#") as live:
        wire.open()
        settings = settings_of(broker, device, port=wire.port)
        topics = settings.topics
        with Publisher(settings) as publisher:
            publisher.publish_turn(make_turn("t0"))
            live.wait_for(topics.turn)
            wire.hold_answers()
            stale, newest = make_state("angry"), make_state("neutral")
            publisher.publish_state(stale)
            publisher.publish_state(newest)
            wire.cut()
            publisher.publish_turn(make_turn("t1"))
            live.turn_ids(topics.turn, "t1")
            with Subscriber(broker.port, topics.state) as late:
                assert late.wait_for(topics.state).payload == encode(newest)


def test_publisher_when_the_broker_restarts_then_says_everything_again(
    own_broker: Broker, device: str
) -> None:
    with Wire(own_broker.port) as wire:
        wire.open()
        settings = settings_of(own_broker, device, port=wire.port)
        topics = settings.topics
        with Publisher(settings) as publisher, Subscriber(own_broker.port, f"affectd/{device}/#") as live:
            publisher.publish_state(make_state("fear"))
            publisher.publish_turn(make_turn("t0"))
            live.turn_ids(topics.turn, "t0")
            live.forget_subscription()
            wire.close()
            own_broker.stop()
            ids = ["t1", "t2", "t3"]
            for id_ in ids:
                publisher.publish_turn(make_turn(id_))
            own_broker.start()
            live.wait_subscribed()
            wire.open()
            # t0 comes again if its acknowledgement was lost.
            assert [id_ for id_ in live.turn_ids(topics.turn, "t3") if id_ != "t0"] == ids
            with Subscriber(own_broker.port, f"affectd/{device}/#") as late:
                assert late.wait_for(topics.availability).payload == b"online"
            with Subscriber(own_broker.port, topics.state) as late:
                assert msgspec.json.decode(late.wait_for(topics.state).payload, type=State).emotion == "fear"


def test_turns_when_more_wait_than_allowed_then_the_oldest_are_dropped_and_counted(
    mosquitto: Mosquitto, device: str, log: Log
) -> None:
    with Wire(mosquitto.port) as wire, Subscriber(mosquitto.port, f"affectd/{device}/turn") as live:
        settings = settings_of(mosquitto, device, port=wire.port)
        publisher = Publisher(settings, MemoryOutbox(OutboxSettings(max_turns=3)))
        for number in range(8):
            publisher.publish_turn(make_turn(f"t{number}"))
        assert (publisher.queued, publisher.dropped) == (3, 5)
        assert sum("dropping the oldest" in line for line in log.lines) == 1
        wire.open()
        publisher.start()
        assert live.turn_ids(settings.topics.turn, "t7") == ["t5", "t6", "t7"]
        log.wait_for("3 turns waited for the broker, 5 were dropped")
        publisher.stop()


def test_log_when_every_attempt_fails_alike_then_has_one_line(
    mosquitto: Mosquitto, device: str, log: Log
) -> None:
    with Wire(mosquitto.port) as wire:
        settings = settings_of(mosquitto, device, port=wire.port)
        wire.hold_answers()
        wire.open()
        with Publisher(settings) as publisher:
            for _ in range(2):
                assert wire.accepted.acquire(timeout=TIMEOUT_S)
                wire.cut()
                wire.hold_answers()
            wire.release_answers()
            assert publisher.wait_connected(TIMEOUT_S)
            log.wait_for("connected")
            wire.close()
            log.wait_for("connection was lost")
    troubles = [line for line in log.lines if "without an answer" in line]
    assert len(troubles) == 1
    assert f"127.0.0.1:{wire.port}" in troubles[0]


def test_log_when_the_host_is_not_known_then_says_so(device: str, log: Log) -> None:
    publisher = Publisher(MqttSettings(host="affectd-test.invalid", device=device))
    publisher.start()
    assert "affectd-test.invalid" in log.wait_for("cannot be resolved")
    publisher.stop()


@pytest.mark.parametrize("protocol", [Protocol.V3_1_1, Protocol.V5])
def test_log_when_another_affectd_has_the_same_device_name_then_says_so(
    mosquitto: Mosquitto, device: str, log: Log, protocol: Protocol
) -> None:
    settings = settings_of(mosquitto, device, protocol=protocol)
    with Publisher(settings, backoff=Backoff(1.0)), Publisher(settings, backoff=Backoff(1.0)):
        line = log.wait_for("a second affectd with the device name")
    assert device in line


def test_publisher_when_the_broker_refuses_mqtt_5_then_goes_on_in_the_older_version_at_once(
    mosquitto: Mosquitto, device: str, log: Log
) -> None:
    with OldBroker(mosquitto.port) as old, Subscriber(mosquitto.port, f"affectd/{device}/#") as live:
        old.open()
        settings = settings_of(mosquitto, device, port=old.port)
        with Publisher(settings, backoff=Backoff(1.0)) as publisher:
            live.wait_for(settings.topics.availability, b"online")
            publisher.publish_turn(make_turn("t0"))
            assert live.turn_ids(settings.topics.turn, "t0") == ["t0"]
            old.cut()
            publisher.publish_turn(make_turn("t1"))
            assert live.turn_ids(settings.topics.turn, "t1")[-1] == "t1"
            assert publisher.alive
        # It is asked once; from then on it is known.
        assert old.refused == 1
    assert not [line for line in log.lines if "does not speak" in line]


def test_log_when_the_broker_refuses_the_version_that_is_set_then_says_what_to_set(
    mosquitto: Mosquitto, device: str, log: Log
) -> None:
    with OldBroker(mosquitto.port) as old:
        old.open()
        with Publisher(settings_of(mosquitto, device, port=old.port, protocol=Protocol.V5)):
            assert 'protocol = "auto"' in log.wait_for("does not speak MQTT 5")
