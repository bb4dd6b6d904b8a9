"""What a running affectd says to a real broker, held against the documents in docs/mqtt."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from support.brokers import TIMEOUT_S
from support.programs import ROOT, Program
from support.subscriber import Subscriber, make_turn

from edge.mqtt.client import Publisher
from edge.mqtt.commands import KINDS
from edge.mqtt.settings import MqttSettings

jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
DOCS = Path(ROOT) / "docs"
VALUES = {"sensitivity": 1, "threshold": 0.5, "model/update": "http://127.0.0.1:9/nobody.tflite"}


def test_messages_when_captured_from_a_broker_then_fit_the_published_schemas(
    mosquitto, device, to_broker, speech
) -> None:
    document = json.loads((DOCS / "mqtt" / "asyncapi.json").read_text(encoding="utf-8"))
    channels = {channel["address"]: channel for channel in document["channels"].values()}
    root = f"affectd/{device}"
    with (
        Subscriber(mosquitto.port, f"{root}/#") as live,
        Program("run", *to_broker, "--source", "stdin") as daemon,
    ):
        captured = live.collect_until(f"{root}/health")
        for name in KINDS:
            value = VALUES.get(name)
            if name != "restart":
                command = {"id": name} | ({} if value is None else {"value": value})
                live.say(f"{root}/command/{name}", json.dumps(command))
            # An enrolment waits for speech, or until the voice is to be forgotten.
            if name not in ("restart", "enrol"):
                captured += live.collect_until(f"{root}/command/{name}/result")
        live.say(f"{root}/command/mute", "refuse me")
        captured += live.collect_until(f"{root}/command/mute/result")
        daemon.say(speech)
        captured += live.collect_until(f"{root}/turn")
        daemon.end_input()
        captured += live.collect_until(f"{root}/availability", b"offline")
    met = set()
    for message in captured:
        address = message.topic.replace(f"{root}/", "{base}/{device}/")
        if address.endswith("/mute") and message.payload == b"refuse me":
            continue
        met.add(address)
        text = message.payload.decode()
        payload = text if address.endswith("availability") else json.loads(text)
        reference = channels[address]["messages"]["message"]["$ref"]
        schema = {"$ref": reference.replace("messages", "schemas"), "components": document["components"]}
        jsonschema.Draft202012Validator(schema).validate(payload)
    assert set(channels) - met == {
        "{base}/{device}/command/restart",
        "{base}/{device}/command/restart/result",
    }


def test_example_consumers_when_they_share_then_each_turn_is_printed_once(mosquitto, device) -> None:
    settings = MqttSettings(host="127.0.0.1", port=mosquitto.port, device=device)
    options = ("--port", mosquitto.port, "--host", "127.0.0.1", "--topic", f"affectd/{device}/turn")
    command = (sys.executable, str(DOCS / "examples" / "turns.py"))
    with (
        Program(*options, "--group", device, command=command) as one,
        Program(*options, "--group", device, command=command) as two,
        Publisher(settings) as publisher,
    ):
        for consumer in (one, two):
            consumer.wait_for("subscribed")
        for number in range(20):
            publisher.publish_turn(make_turn(f"{number}"))
        publisher.stop(TIMEOUT_S)
        for consumer in (one, two):
            # Mosquitto deals them out in turn.
            consumer.wait_for(lambda _line, of=consumer: sum("sad" in line for line in of.lines) == 10)
