"""The discovery message, judged by Home Assistant's own code: `nox -s home_assistant`."""

from __future__ import annotations

import importlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from edge.mqtt.home_assistant import describe
from edge.mqtt.topics import Topics

REASON = "homeassistant 2025.1.4 is not installed (Python 3.13): nox -s home_assistant"
discovery = pytest.importorskip("homeassistant.components.mqtt.discovery", reason=REASON)
schemas = pytest.importorskip("homeassistant.components.mqtt.schemas", reason=REASON)
templates = pytest.importorskip("homeassistant.helpers.template", reason=REASON)
times = pytest.importorskip("homeassistant.util.dt", reason=REASON)
voluptuous = pytest.importorskip("voluptuous", reason=REASON)

LABELS = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
TOPICS = [Topics("affectd", "pi"), Topics("site 1/küche", "hall-2")]


def message(topics: Topics) -> dict[str, Any]:
    """As Home Assistant gets it."""
    found: dict[str, Any] = json.loads(
        json.dumps(describe(topics, LABELS, "affectd", "0.1.0", "living-room"))
    )
    return found


@pytest.mark.parametrize("topics", TOPICS, ids=str)
def test_discovery_when_parsed_by_home_assistant_then_is_a_device(topics: Topics) -> None:
    found = message(topics)
    parsed = discovery._parse_device_payload(None, json.dumps(found), topics.device, topics.device)
    assert set(parsed["components"]) == set(found["components"])


@pytest.mark.parametrize("topics", TOPICS, ids=str)
@pytest.mark.parametrize("key", list(message(TOPICS[0])["components"]))
def test_entity_when_parsed_by_home_assistant_then_its_platform_takes_it(topics: Topics, key: str) -> None:
    found = message(topics)
    entity = dict(found["components"][key])
    platform = importlib.import_module(f"homeassistant.components.mqtt.{entity.pop('platform')}")
    common = {name: found[name] for name in ("device", "origin", "availability_topic", "qos")}
    assert platform.DISCOVERY_SCHEMA({**common, **entity})


def test_discovery_when_a_topic_is_wrong_then_home_assistant_refuses_it() -> None:
    found = message(TOPICS[0])
    assert schemas.DEVICE_DISCOVERY_SCHEMA(found)
    found["availability_topic"] = "affectd/#/availability"
    with pytest.raises(voluptuous.Invalid):
        schemas.DEVICE_DISCOVERY_SCHEMA(found)


EXAMPLES: list[tuple[str, dict[str, Any], str]] = [
    ("emotion", {"emotion": "sad"}, "sad"),
    ("confidence", {"confidence": 0.7123}, "71.2"),
    ("confidence", {"confidence": None}, "None"),
    ("valence", {"valence": None}, "None"),
    ("speaking", {"speaking": False}, "OFF"),
    ("mute", {"muted": True}, "ON"),
    ("sensitivity", {"sensitivity_db": -3.0}, "-3.0"),
    ("microphone", {"microphone": "zeros"}, "ON"),
    ("throttled", {"throttled": None}, "None"),
    ("throttled", {"throttled": True}, "ON"),
    ("temperature", {"temperature_c": 51.2}, "51.2"),
    ("voice_enrolled", {"voice_enrolled": None}, "None"),
]


def rendered(template: str, values: dict[str, Any]) -> str:
    """What Home Assistant's MQTT entities make of a template: text."""
    environment = templates.TemplateEnvironment(None)
    return str(environment.from_string(template).render(values)).strip()


@pytest.mark.parametrize(("key", "values", "expected"), EXAMPLES)
def test_template_when_rendered_by_home_assistant_then_gives_the_field(
    key: str, values: dict[str, Any], expected: str
) -> None:
    template = message(TOPICS[0])["components"][key]["value_template"]
    assert rendered(template, {"value_json": values}) == expected


def test_voice_enrolled_when_rendered_by_home_assistant_then_is_a_time_with_its_zone() -> None:
    template = message(TOPICS[0])["components"]["voice_enrolled"]["value_template"]
    at = rendered(template, {"value_json": {"voice_enrolled": "2026-11-21T09:14:02.130Z"}})
    # A timestamp sensor takes no other: its own code parses so, and refuses a time without a zone.
    assert times.parse_datetime(at) == datetime(2026, 11, 21, 9, 14, 2, 130_000, UTC)


def test_sensitivity_when_rendered_by_home_assistant_then_is_a_command() -> None:
    template = message(TOPICS[0])["components"]["sensitivity"]["command_template"]
    assert rendered(template, {"value": -3.0}) == '{"value": -3.0}'
