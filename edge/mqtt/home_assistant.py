"""Home Assistant discovery: one retained message that describes the device and its entities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from edge.mqtt.errors import MqttSettingsError
from edge.mqtt.messages import NONE, UNCERTAIN
from edge.mqtt.topics import Topics, is_base

_BIRTH = b"online"


class HomeAssistantSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether and where the device is described to Home Assistant.

    Raises:
        MqttSettingsError: at construction, when the prefix cannot be part of a topic.
    """

    enabled: bool = True
    """Describe the device to Home Assistant; false withdraws an earlier description"""

    discovery_prefix: str = "homeassistant"
    """As in Home Assistant's MQTT settings; its birth message is expected on <prefix>/status"""

    def __post_init__(self) -> None:
        if not is_base(self.discovery_prefix):
            raise MqttSettingsError(
                f"discovery_prefix is {self.discovery_prefix!r}; use topic levels such as 'homeassistant'"
            )


class Discovery:
    """Describes the device whenever Home Assistant needs it.

    Args:
        settings: whether and where to publish the description.
        topics: of the device.
        labels: emotions that the model can name.
        model: name of the model.
        version: of affectd.
        publish: publishes a retained value on a topic, now and at every connection.
        room: room of the device, as in its topics; None if not set.
    """

    def __init__(
        self,
        settings: HomeAssistantSettings,
        topics: Topics,
        labels: Sequence[str],
        model: str,
        version: str,
        publish: Callable[[str, bytes], None],
        room: str | None = None,
    ) -> None:
        self._publish = publish
        self._enabled = settings.enabled
        self._topics, self._version, self._room = topics, version, room
        self.topic = f"{settings.discovery_prefix}/device/{identifier(topics)}/config"
        """Topic of the description"""
        self.patterns = [f"{settings.discovery_prefix}/status"] if settings.enabled else []
        """Topics on which Home Assistant reports that it has started"""
        self._payload = self._describing(labels, model)

    def change_model(self, labels: Sequence[str], model: str) -> None:
        """Describe the device with this model from now on: Home Assistant ignores other labels than these."""
        self._payload = self._describing(labels, model)
        self.announce()

    def announce(self) -> None:
        """Describe the device, or withdraw an earlier description: an empty message removes it."""
        self._publish(self.topic, self._payload if self._enabled else b"")

    def receive(self, _topic: str, payload: bytes, retained: bool) -> None:
        """Describe the device again when Home Assistant has started."""
        # A retained birth message arrives with every connection, when the description is sent anyway.
        if payload == _BIRTH and not retained:
            self.announce()

    def _describing(self, labels: Sequence[str], model: str) -> bytes:
        return msgspec.json.encode(describe(self._topics, labels, model, self._version, self._room))


def describe(
    topics: Topics, labels: Sequence[str], model: str, version: str, room: str | None = None
) -> dict[str, Any]:
    """The discovery message for Home Assistant 2024.11 and later.

    Every entity reads one field of one topic, so that no entity can reset another; null becomes `unknown`.
    """
    unique = identifier(topics)
    components = {
        **_present(topics, labels),
        **_controls(topics),
        **_diagnostics(topics),
    }
    for key, entity in components.items():
        entity["unique_id"] = f"{unique}_{key}"
    return {
        "device": {
            "identifiers": [unique],
            "name": f"affectd {topics.device}",
            "manufacturer": "affectd",
            "model": model,
            "sw_version": version,
            **({} if room is None else {"suggested_area": room.replace("-", " ").capitalize()}),
        },
        "origin": {"name": "affectd", "sw_version": version},
        "availability_topic": topics.availability,
        "qos": 1,
        "components": components,
    }


def identifier(topics: Topics) -> str:
    """An identifier unique among all devices of the broker, whatever their topics."""
    # Home Assistant allows a-z, A-Z, 0-9, '_' and '-' here; a base topic may hold anything.
    base = "".join(c if c.isascii() and c.isalnum() else f"_{ord(c):x}_" for c in topics.base)
    return f"{base}_{topics.device}"


def _present(topics: Topics, labels: Sequence[str]) -> dict[str, dict[str, Any]]:
    def number(name: str, **more: Any) -> dict[str, Any]:
        return {
            "platform": "sensor",
            "name": name.capitalize(),
            "state_topic": topics.state,
            "value_template": f"{{{{ value_json.{name} }}}}",
            "state_class": "measurement",
            **more,
        }

    percent = "{{ none if value_json.confidence is none else (100 * value_json.confidence) | round(1) }}"
    return {
        "emotion": {
            "platform": "sensor",
            "name": "Emotion",
            "state_topic": topics.state,
            "value_template": "{{ value_json.emotion }}",
            "device_class": "enum",
            "options": [*labels, UNCERTAIN, NONE],
            "icon": "mdi:emoticon-outline",
        },
        "confidence": number("confidence", value_template=percent, unit_of_measurement="%"),
        "arousal": number("arousal", suggested_display_precision=2),
        "valence": number("valence", suggested_display_precision=2),
        "speaking": {
            "platform": "binary_sensor",
            "name": "Speaking",
            "state_topic": topics.state,
            "value_template": "{{ 'ON' if value_json.speaking else 'OFF' }}",
            "device_class": "sound",
        },
    }


def _controls(topics: Topics) -> dict[str, dict[str, Any]]:
    def button(command: str, name: str, **shown: str) -> dict[str, Any]:
        return {
            "platform": "button",
            "name": name,
            "command_topic": f"{topics.command}/{command}",
            "payload_press": "{}",
            "entity_category": "config",
            **shown,
        }

    return {
        "mute": {
            "platform": "switch",
            "name": "Mute",
            "command_topic": f"{topics.command}/mute",
            "payload_on": '{"value": true}',
            "payload_off": '{"value": false}',
            "state_topic": topics.health,
            "value_template": "{{ 'ON' if value_json.muted else 'OFF' }}",
            "state_on": "ON",
            "state_off": "OFF",
            "icon": "mdi:microphone-off",
        },
        "sensitivity": {
            "platform": "number",
            "name": "Sensitivity",
            "command_topic": f"{topics.command}/sensitivity",
            "command_template": '{"value": {{ value }}}',
            "state_topic": topics.health,
            "value_template": "{{ value_json.sensitivity_db }}",
            "min": -20,
            "max": 6,
            "step": 1,
            "unit_of_measurement": "dB",
            "entity_category": "config",
        },
        "enrol": button("enrol", "Enrol voice", icon="mdi:account-voice"),
        "forget": button("forget", "Forget voice", icon="mdi:account-off"),
        "restart": button("restart", "Restart", device_class="restart"),
        "identify": button("identify", "Identify", device_class="identify"),
    }


def _diagnostics(topics: Topics) -> dict[str, dict[str, Any]]:
    def entity(platform: str, name: str, template: str, **more: Any) -> dict[str, Any]:
        return {
            "platform": platform,
            "name": name,
            "state_topic": topics.health,
            "value_template": template,
            "entity_category": "diagnostic",
            **more,
        }

    def number(name: str, field: str, unit: str | None = None, **more: Any) -> dict[str, Any]:
        units = {} if unit is None else {"unit_of_measurement": unit}
        shown = {"state_class": "measurement", **units, **more}
        return entity("sensor", name, f"{{{{ value_json.{field} }}}}", **shown)

    problem = "{{ 'OFF' if value_json.microphone in ('ok', 'muted') else 'ON' }}"
    slow = "{{ none if value_json.throttled is none else 'ON' if value_json.throttled else 'OFF' }}"
    total = {"state_class": "total_increasing"}
    return {
        "microphone": entity("binary_sensor", "Microphone", problem, device_class="problem"),
        "throttled": entity("binary_sensor", "Throttled", slow, device_class="problem"),
        "temperature": number("Temperature", "temperature_c", "°C", device_class="temperature"),
        "level": number("Sound level", "level_dbfs", "dB", device_class="sound_pressure"),
        "inference": number("Inference time", "inference_p95_ms", "ms", device_class="duration"),
        "cpu": number("CPU", "cpu_percent", "%"),
        "memory": number("Memory", "rss_bytes", "B", device_class="data_size"),
        "queued_turns": number("Queued turns", "queued_turns"),
        "voice_enrolled": entity(
            "sensor", "Voice enrolled", "{{ value_json.voice_enrolled }}", device_class="timestamp"
        ),
        "dropped_turns": number("Dropped turns", "dropped_turns", **total),
        "dropped_samples": number("Dropped samples", "dropped_samples", **total),
    }
