"""The discovery message through a real broker, and what it promises to the contract."""

from __future__ import annotations

import re

import msgspec
import pytest
from support.brokers import Broker, Mosquitto, Wire, settings_of
from support.subscriber import Subscriber

from edge.mqtt.client import Publisher
from edge.mqtt.commands import KINDS
from edge.mqtt.errors import MqttSettingsError
from edge.mqtt.home_assistant import Discovery, HomeAssistantSettings, describe
from edge.mqtt.messages import Health, State
from edge.mqtt.settings import MqttSettings
from edge.mqtt.topics import Topics

LABELS = ("happy", "sad")


def announced(publisher: Publisher, settings: MqttSettings, prefix: str, enabled: bool = True) -> Discovery:
    discovery = Discovery(
        HomeAssistantSettings(enabled=enabled, discovery_prefix=prefix),
        settings.topics,
        LABELS,
        "model",
        "1.0",
        publisher.publish_latest,
    )
    publisher.listen(discovery.patterns, discovery.receive)
    discovery.announce()
    return discovery


def test_discovery_when_home_assistant_starts_then_is_said_again(broker: Broker, device: str) -> None:
    settings = settings_of(broker, device)
    publisher = Publisher(settings)
    discovery = announced(publisher, settings, device)
    with Subscriber(broker.port, f"{device}/#") as live, publisher:
        first = live.wait_for(discovery.topic).payload
        assert msgspec.json.decode(first)["device"]["identifiers"] == [f"affectd_{device}"]
        live.say(f"{device}/status", "offline")
        live.say(f"{device}/status", "online")
        assert live.wait_for(discovery.topic).payload == first
        with Subscriber(broker.port, discovery.topic) as late:
            message = late.wait_for(discovery.topic)
        # amqtt passes retained messages on with QoS 0.
        assert (message.retain, message.payload) == (True, first)


def test_discovery_when_switched_off_then_an_earlier_one_is_removed(
    mosquitto: Mosquitto, device: str
) -> None:
    settings = MqttSettings(host="127.0.0.1", port=mosquitto.port, device=device)
    with Subscriber(mosquitto.port, f"{device}/#") as live:
        for enabled in (True, False):
            publisher = Publisher(settings)
            topic = announced(publisher, settings, device, enabled).topic
            with publisher:
                assert bool(live.wait_for(topic).payload) is enabled
        with Subscriber(mosquitto.port, f"{device}/#") as late:
            late.say(f"{device}/end", "end")
            assert [m.topic for m in late.collect_until(f"{device}/end")] == [f"{device}/end"]


def test_discovery_when_the_broker_has_forgotten_it_then_comes_with_the_next_connection(
    mosquitto: Mosquitto, device: str
) -> None:
    with Wire(mosquitto.port) as wire, Subscriber(mosquitto.port, f"{device}/#") as live:
        wire.open()
        settings = MqttSettings(host="127.0.0.1", port=wire.port, device=device)
        publisher = Publisher(settings)
        topic = announced(publisher, settings, device).topic
        with publisher:
            first = live.wait_for(topic).payload
            wire.cut()
            assert live.wait_for(topic).payload == first


@pytest.mark.parametrize("topics", [Topics("affectd", "pi"), Topics("a/b c", "pi")])
def test_entities_when_described_then_each_reads_a_field_that_exists_and_commands_what_exists(
    topics: Topics,
) -> None:
    fields = {topics.state: State.__struct_fields__, topics.health: Health.__struct_fields__}
    components = describe(topics, LABELS, "model", "1.0")["components"]
    seen = []
    for entity in components.values():
        if "state_topic" in entity:
            (field,) = set(re.findall(r"value_json\.(\w+)", entity["value_template"]))
            assert field in fields[entity["state_topic"]]
            seen.append((entity["state_topic"], field))
        if "command_topic" in entity:
            name = entity["command_topic"].removeprefix(topics.command + "/")
            for payload in (entity.get(key) for key in ("payload_press", "payload_on", "payload_off")):
                if payload is not None:
                    msgspec.json.decode(payload, type=KINDS[name])
    # No two entities share a field, so none can show another's value.
    assert len(seen) == len(set(seen))
    assert len({entity["unique_id"] for entity in components.values()}) == len(components)


def test_identifiers_when_devices_differ_only_in_their_base_then_differ() -> None:
    ids = {
        describe(Topics(base, "pi"), LABELS, "m", "1")["device"]["identifiers"][0]
        for base in ("a", "b", "a/b", "a b", "a-b", "a_b")
    }
    assert len(ids) == 6
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]+", identifier) for identifier in ids)


@pytest.mark.parametrize("prefix", ["", "a//b", "home/+", "#"])
def test_prefix_when_it_is_no_topic_then_is_refused(prefix: str) -> None:
    with pytest.raises(MqttSettingsError, match="discovery_prefix"):
        HomeAssistantSettings(discovery_prefix=prefix)


def test_device_when_its_room_is_known_then_home_assistant_is_told_an_area() -> None:
    topics = Topics("affectd/north/living-room", "pi")
    assert describe(topics, LABELS, "m", "1", "living-room")["device"]["suggested_area"] == "Living room"
    assert "suggested_area" not in describe(topics, LABELS, "m", "1")["device"]
