"""The documents in docs/mqtt: made from the types, and sound in themselves."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from edge.mqtt.commands import KINDS

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "mqtt"


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("mqtt_schemas", ROOT / "tools" / "mqtt_schemas.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def asyncapi() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / "asyncapi.json").read_text(encoding="utf-8"))
    return found


def test_documents_when_made_anew_then_are_those_in_docs(maker: ModuleType) -> None:
    stored = {file.name: file.read_text(encoding="utf-8") for file in FOLDER.glob("*.json")}
    assert stored == maker.documents(), "run: python tools/mqtt_schemas.py"


def test_asyncapi_when_it_refers_then_to_what_is_there() -> None:
    document = asyncapi()
    for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document))):
        place: Any = document
        for step in reference.split("/"):
            assert step in place, reference
            place = place[step]


def test_asyncapi_when_read_then_has_every_topic() -> None:
    addresses = {channel["address"] for channel in asyncapi()["channels"].values()}
    said = {"availability", "state", "turn", "health"}
    heard = {f"command/{name}" for name in KINDS}
    expected = said | heard | {f"{name}/result" for name in heard}
    assert addresses == {f"{{base}}/{{device}}/{topic}" for topic in expected}


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.schema.json")), ids=lambda file: file.stem)
def test_schema_when_read_then_is_one_and_every_field_is_described(file: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    schema = json.loads(file.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    # A field whose type is described in its own place needs no second description.
    assert all("description" in field or "$ref" in field for field in schema["properties"].values())
