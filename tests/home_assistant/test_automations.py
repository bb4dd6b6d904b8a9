"""The example automations, judged by Home Assistant's own code and by what affectd describes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from edge.mqtt.home_assistant import describe
from edge.mqtt.messages import Turn
from edge.mqtt.topics import Topics

REASON = "homeassistant 2025.1.4 is not installed (Python 3.13): nox -s home_assistant"
automation = pytest.importorskip("homeassistant.components.automation.config", reason=REASON)
util = pytest.importorskip("homeassistant.util", reason=REASON)
yaml = pytest.importorskip("homeassistant.util.yaml", reason=REASON)

FILE = Path(__file__).resolve().parents[2] / "firmware_configs" / "home-assistant" / "automations.yaml"
AUTOMATIONS: list[dict[str, Any]] = yaml.load_yaml(str(FILE))
LABELS = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")


@pytest.mark.parametrize("example", AUTOMATIONS, ids=lambda example: example["id"])
def test_automation_when_read_by_home_assistant_then_is_one(example: dict[str, Any]) -> None:
    automation.PLATFORM_SCHEMA(example)


def test_automations_when_they_name_entities_then_affectd_describes_them() -> None:
    described = describe(Topics("affectd", "kitchen"), LABELS, "model", "0.1.0")
    device = described["device"]["name"]
    entities = {
        f"{entity['platform']}.{util.slugify(device)}_{util.slugify(entity['name'])}"
        for entity in described["components"].values()
    }
    named = set(re.findall(r"\b\w+\.affectd_\w+", FILE.read_text(encoding="utf-8")))
    assert named
    assert named <= entities


def test_automations_when_they_read_a_turn_then_it_has_these_fields() -> None:
    read = set(re.findall(r"payload_json\.(\w+)", FILE.read_text(encoding="utf-8")))
    assert read
    assert read <= set(Turn.__struct_fields__)
