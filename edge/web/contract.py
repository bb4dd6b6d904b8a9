"""The API's answer types that no other file defines, and the OpenAPI schemas of all of them."""

from __future__ import annotations

from typing import Any

import msgspec

from edge.frontend.mfcc_config import MfccConfig
from edge.inference.model import EmotionModel
from edge.mqtt.messages import Turn
from edge.web.judge import Judgement
from edge.web.live import Present, Snapshot
from edge.web.replies import Trouble


class ModelView(msgspec.Struct, frozen=True, kw_only=True):
    """The model that analyses recordings here."""

    name: str
    sha256: str
    """SHA-256 of the model's flatbuffer"""

    labels: tuple[str, ...]
    circumplex: dict[str, tuple[float, float]]
    """Arousal and valence of each label, each -1 to 1"""

    uncertain_below: float
    """Confidence below which the answer is `uncertain`"""

    frontend: str
    """The model's input features, in words"""

    window_s: float
    """Seconds of sound in one input window of the model"""

    licence: str
    max_upload_bytes: int
    max_upload_s: float


class Turns(msgspec.Struct, frozen=True, kw_only=True):
    """The last turns of the device, oldest first."""

    turns: list[Turn]


class WebHealth(msgspec.Struct, frozen=True, kw_only=True):
    """The state of this process; the device's own health is part of its state."""

    status: str
    """Always `ok`"""

    version: str
    uptime_s: float
    broker_connected: bool
    recordings: int
    """Recordings being received, waiting or being analysed"""


_TYPES = (Present, Turns, Snapshot, ModelView, Judgement, WebHealth, Trouble)


def view_model(model: EmotionModel, max_upload_bytes: int, max_upload_s: float) -> ModelView:
    """Describe a model for the API."""
    card, config = model.card, model.mfcc_config
    return ModelView(
        name=card.name,
        sha256=card.flatbuffer_sha256,
        labels=card.labels,
        circumplex=card.circumplex,
        uncertain_below=model.uncertain_below,
        frontend=describe(config),
        window_s=round(card.n_frames * config.hop_length / config.sample_rate, 3),
        licence=card.licence,
        max_upload_bytes=max_upload_bytes,
        max_upload_s=max_upload_s,
    )


def describe(config: MfccConfig) -> str:
    """Describe a front end in words."""
    rate = config.sample_rate
    parts = [
        f"{config.n_mfcc} MFCCs of {config.n_mels} mel bands from {config.fmin:g} to {config.fmax:g} Hz",
        f"windows of {1e3 * config.frame_length / rate:g} ms every {1e3 * config.hop_length / rate:g} ms",
        f"{rate:,} Hz mono",
    ]
    if config.delta_orders:
        parts.insert(1, "their deltas" if config.delta_orders == 1 else "their deltas and delta-deltas")
    if config.pitch:
        parts.insert(1, "pitch and voicing")
    return ", ".join(parts)


def content(kind: type[msgspec.Struct], media: str = "application/json") -> dict[str, Any]:
    """The OpenAPI description of an answer of this type."""
    return {"content": {media: {"schema": {"$ref": f"#/components/schemas/{kind.__name__}"}}}}


def add_schemas(document: dict[str, Any]) -> dict[str, Any]:
    """Add the schemas of all types to an OpenAPI document."""
    _, schemas = msgspec.json.schema_components(_TYPES, ref_template="#/components/schemas/{name}")
    document.setdefault("components", {}).setdefault("schemas", {}).update(schemas)
    return document
