"""The Node-RED flow: sound in itself, and of one mind with the documented topics and messages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from paho.mqtt.client import topic_matches_sub

from edge.mqtt.commands import KINDS

ROOT = Path(__file__).resolve().parents[2]
NODES: list[dict[str, Any]] = json.loads(
    (ROOT / "firmware_configs" / "node-red" / "affectd-flow.json").read_text(encoding="utf-8")
)
CHANNELS = json.loads((ROOT / "docs" / "mqtt" / "asyncapi.json").read_text(encoding="utf-8"))["channels"]
TOPICS = [channel["address"].format(base="affectd", device="kitchen") for channel in CHANNELS.values()]


def of_type(kind: str) -> list[dict[str, Any]]:
    return [node for node in NODES if node["type"] == kind]


def test_flow_when_read_then_every_wire_ends_at_a_node_and_every_node_is_reached() -> None:
    ids = [node["id"] for node in NODES]
    assert len(ids) == len(set(ids))
    ends = {end for node in NODES for wires in node.get("wires", []) for end in wires}
    assert ends <= set(ids)
    inner = {node["id"] for node in NODES if node["type"] in ("function", "switch", "debug", "mqtt out")}
    assert inner <= ends
    (broker,) = of_type("mqtt-broker")
    assert {node["broker"] for node in NODES if node["type"].startswith("mqtt ")} == {broker["id"]}


@pytest.mark.parametrize("node", of_type("mqtt in"), ids=lambda node: node["id"])
def test_flow_when_it_subscribes_then_to_topics_that_affectd_publishes(node: dict[str, Any]) -> None:
    matching = [topic for topic in TOPICS if topic_matches_sub(node["topic"], topic)]
    assert matching
    assert all(topic.endswith("/result") or "/command/" not in topic for topic in matching)


@pytest.mark.parametrize("node", of_type("mqtt out"), ids=lambda node: node["id"])
def test_flow_when_it_commands_then_the_payload_is_that_command_and_not_retained(
    node: dict[str, Any],
) -> None:
    assert node["topic"] in TOPICS
    assert node["retain"] == "false"
    kind = KINDS[node["topic"].partition("/command/")[2]]
    payloads = [n["payload"] for n in of_type("inject") if n["wires"] == [[node["id"]]]]
    assert payloads
    for payload in payloads:
        msgspec.json.decode(payload, type=kind)


def test_flow_when_it_reads_a_turn_then_the_fields_are_those_of_the_message() -> None:
    schema = json.loads((ROOT / "docs" / "mqtt" / "Turn.schema.json").read_text(encoding="utf-8"))
    read = {node["property"].removeprefix("payload.") for node in of_type("switch")}
    assert read <= set(schema["properties"])
    (function,) = of_type("function")
    assert "msg.payload.id" in function["func"]
