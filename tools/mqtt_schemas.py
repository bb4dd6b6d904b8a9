"""Writes docs/mqtt/: a JSON Schema for each message, and all topics as an AsyncAPI 3 document.

    python tools/mqtt_schemas.py

They are made from the message types alone, so that they cannot differ from the code; a test compares them.
"""

from __future__ import annotations

import ast
import inspect
import json
import sys
from pathlib import Path
from typing import Any

import msgspec

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from edge.mqtt import commands, messages  # noqa: E402  # run from a checkout
from edge.mqtt.commands import KINDS, CommandResult  # noqa: E402
from edge.mqtt.messages import Health, State, Turn  # noqa: E402

FOLDER = ROOT / "docs" / "mqtt"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
SAID: dict[str, tuple[type, str]] = {
    "state": (State, "Retained, QoS 1; published again at every connection"),
    "turn": (Turn, "Not retained, QoS 1; delivered at least once, in order; a duplicate has the same id"),
    "health": (Health, "Retained, QoS 0, every minute"),
}
TYPES = (State, Turn, Health, CommandResult, *dict.fromkeys(KINDS.values()))
AVAILABILITY = {"type": "string", "enum": ["online", "offline"], "description": "Plain text, not JSON"}


def documents() -> dict[str, str]:
    """The content of every generated file of docs/mqtt/, by file name."""
    schemas = {f"{kind.__name__}.schema.json": _standalone(kind) for kind in TYPES}
    return {
        name: json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        for name, content in {**schemas, "asyncapi.json": _asyncapi()}.items()
    }


def _standalone(kind: type) -> dict[str, Any]:
    (found,), definitions = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    _describe(definitions)
    own = definitions.pop(kind.__name__)
    rest = {"$defs": definitions} if definitions else {}
    return {"$schema": DIALECT, **own, **rest} if "$ref" in found else {"$schema": DIALECT, **found}


def _describe(definitions: dict[str, Any]) -> None:
    """Copy the docstring of each field in the source into its schema."""
    texts = _field_texts()
    for name, definition in definitions.items():
        for field, schema in definition.get("properties", {}).items():
            for owner in (name, "Command"):
                if (owner, field) in texts:
                    schema.setdefault("description", texts[owner, field])
                    break


def _field_texts() -> dict[tuple[str, str], str]:
    found = {}
    for module in (messages, commands):
        for node in ast.parse(inspect.getsource(module)).body:
            if not isinstance(node, ast.ClassDef):
                continue
            for field, text in zip(node.body, node.body[1:], strict=False):
                if (
                    isinstance(field, ast.AnnAssign)
                    and isinstance(field.target, ast.Name)
                    and isinstance(text, ast.Expr)
                    and isinstance(text.value, ast.Constant)
                ):
                    found[node.name, field.target.id] = " ".join(str(text.value.value).split())
    return found


def _asyncapi() -> dict[str, Any]:
    _, schemas = msgspec.json.schema_components(TYPES, ref_template="#/components/schemas/{name}")
    _describe(schemas)
    schemas["Availability"] = AVAILABILITY
    channels, operations = {}, {}

    def add(name: str, topic: str, schema: str, action: str, text: str) -> None:
        channels[name] = {
            "address": f"{{base}}/{{device}}/{topic}",
            "parameters": {
                "base": {
                    "default": "affectd",
                    "description": "base_topic, site and room of the configuration, without those not set",
                },
                "device": {"description": "Name of the device: a-z, 0-9 and hyphens"},
            },
            "messages": {"message": {"$ref": f"#/components/messages/{schema}"}},
        }
        operations[f"{action}_{name}"] = {
            "action": action,
            "channel": {"$ref": f"#/channels/{name}"},
            "summary": text,
            "messages": [{"$ref": f"#/channels/{name}/messages/message"}],
        }

    add("availability", "availability", "Availability", "send", "Retained, QoS 1; offline is the last will")
    for topic, (kind, text) in SAID.items():
        add(topic, topic, kind.__name__, "send", text)
    for command, kind in KINDS.items():
        name = command.replace("/", "_")
        add(f"command_{name}", f"command/{command}", kind.__name__, "receive", "Never retained")
        result = f"command/{command}/result"
        add(f"result_{name}", result, CommandResult.__name__, "send", "The answer; not retained, QoS 1")
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "affectd",
            "version": "1",
            "description": "The MQTT messages of an affectd device: what the device sends and receives.",
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": {
                name: {
                    "name": name,
                    "payload": {"$ref": f"#/components/schemas/{name}"},
                    **({"contentType": "text/plain"} if name == "Availability" else {}),
                }
                for name in (*(kind.__name__ for kind in TYPES), "Availability")
            },
            "schemas": schemas,
        },
    }


def main() -> None:
    """Write the files."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, content in documents().items():
        (FOLDER / name).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
