"""The bridge configuration between two real brokers."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from support.brokers import TIMEOUT_S, Mosquitto, Wire
from support.subscriber import Subscriber, make_state, make_turn

from edge.mqtt.client import Publisher
from edge.mqtt.commands import CommandDesk
from edge.mqtt.messages import encode
from edge.mqtt.settings import MqttSettings

FOLDER = Path(__file__).resolve().parents[2] / "firmware_configs" / "mosquitto"
BRIDGE = FOLDER / "bridge.conf"

COMMANDS = {
    "mute": "{}",
    "model/info": "{}",
    "model/update": '{"value": "https://models.example.org/kiosk.tflite"}',
}


@pytest.fixture
def brokers(tmp_path: Path) -> Iterator[tuple[Mosquitto, Mosquitto, Wire]]:
    """The one beside the device, the central one, and the network between them."""
    # Of affectd.conf, beside which the bridge stands: what does not concern users and passwords.
    shipped = (FOLDER / "affectd.conf").read_text(encoding="utf-8").splitlines()
    limits = "\n".join(["allow_anonymous true", *(line for line in shipped if line.startswith("max_"))])
    central = Mosquitto(tmp_path, limits)
    central.start()
    with Wire(central.port) as wire:
        wire.open()
        text = BRIDGE.read_text(encoding="utf-8")
        assert "address central.lan:1883\n" in text
        assert "restart_timeout 1 60\n" in text
        text = text.replace("address central.lan:1883", f"address 127.0.0.1:{wire.port}")
        text = text.replace("restart_timeout 1 60", "restart_timeout 1 2")
        local = Mosquitto(tmp_path, limits, listener=text)
        local.start()
        yield local, central, wire
        local.stop()
    central.stop()


def test_bridge_when_a_device_speaks_then_the_central_broker_has_it_and_may_command(
    brokers: tuple[Mosquitto, Mosquitto, Wire],
) -> None:
    local, central, _ = brokers
    device = f"test-{uuid.uuid4().hex[:8]}"
    settings = MqttSettings(host="127.0.0.1", port=local.port, device=device)
    publisher = Publisher(settings)
    desk = CommandDesk(settings.topics, lambda name, _: {"done": name}, publisher.answer)
    publisher.listen(desk.patterns, desk.receive)
    with Subscriber(central.port, f"affectd/{device}/#") as live, publisher:
        live.wait_for(settings.topics.availability, b"online")
        publisher.publish_turn(make_turn("t1"))
        live.wait_for(settings.topics.turn)
        for name, command in COMMANDS.items():
            topic = f"{settings.topics.command}/{name}"
            live.say(topic, command)
            assert b'"ok":true' in live.wait_for(f"{topic}/result").payload


def test_bridge_when_the_network_is_away_then_turns_arrive_when_it_is_back(
    brokers: tuple[Mosquitto, Mosquitto, Wire],
) -> None:
    local, central, wire = brokers
    device = f"test-{uuid.uuid4().hex[:8]}"
    settings = MqttSettings(host="127.0.0.1", port=local.port, device=device)
    with Subscriber(central.port, f"affectd/{device}/#") as live, Publisher(settings) as publisher:
        live.wait_for(settings.topics.availability, b"online")
        wire.close()
        with Subscriber(local.port, settings.topics.turn) as near:
            publisher.publish_turn(make_turn("t1"))
            publisher.publish_turn(make_turn("t2"))
            near.turn_ids(settings.topics.turn, "t2")
        wire.open()
        ids = live.turn_ids(settings.topics.turn, "t2")
        assert list(dict.fromkeys(ids)) == ["t1", "t2"]


def test_bridge_when_thousands_of_messages_wait_then_every_turn_and_the_last_state_arrive(
    brokers: tuple[Mosquitto, Mosquitto, Wire],
) -> None:
    local, central, wire = brokers
    topics = MqttSettings(device=f"test-{uuid.uuid4().hex[:8]}").topics
    sent = [f"t{number}" for number in range(1500)]
    speaker = Client(CallbackAPIVersion.VERSION2)
    speaker.connect("127.0.0.1", local.port)
    speaker.loop_start()
    with Subscriber(central.port, f"{topics.base}/{topics.device}/#") as live:
        speaker.publish(topics.state, encode(make_state("before")), qos=1, retain=True)
        live.wait_for(topics.state)
        wire.close()
        for turn in sent:
            for emotion in ("angry", turn):
                speaker.publish(topics.state, encode(make_state(emotion)), qos=1, retain=True)
            last = speaker.publish(topics.turn, encode(make_turn(turn)), qos=1)
        last.wait_for_publish(TIMEOUT_S)
        assert last.is_published()
        wire.open()
        ids = live.turn_ids(topics.turn, sent[-1])
        assert list(dict.fromkeys(ids)) == sent
        with Subscriber(central.port, topics.state) as late:
            assert sent[-1].encode() in late.wait_for(topics.state).payload
    speaker.disconnect()
    speaker.loop_stop()
