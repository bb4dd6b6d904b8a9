"""Whether Home Assistant can discover the device: checks the discovery message that the broker retains."""

from __future__ import annotations

import queue
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from paho.mqtt.reasoncodes import ReasonCode

from edge import __version__
from edge.config import Config
from edge.doctor.report import Finding, Stage, Verdict
from edge.inference.model_file import read_model_file
from edge.mqtt.diagnosis import UNSUPPORTED_VERSION
from edge.mqtt.home_assistant import Discovery, describe
from edge.mqtt.paho_client import make_client
from edge.mqtt.settings import MqttSettings, Protocol
from edge.update.in_force import device_store, settings_in_force

_CONNECT_S, _LISTEN_S = 5.0, 1.0
"""A broker delivers retained messages at once; after `_LISTEN_S` no more will come"""


def examine(config: Config) -> Iterator[Finding]:
    """Check the discovery message, and whether Home Assistant is running.

    Raises:
        ModelFileError: when the model, whose emotions are in the discovery message, cannot be used.
        MqttSettingsError: when the password or a TLS file cannot be used.
    """
    settings, topics = config.home_assistant, config.mqtt.topics
    if not settings.enabled:
        yield _finding(Verdict.SKIP, "discovery is turned off: enabled = false in [home_assistant]")
        return
    card, _ = read_model_file(Path(settings_in_force(config.model, device_store()).path))
    wanted = describe(topics, card.labels, card.name, __version__, config.mqtt.room)
    place = Discovery(settings, topics, card.labels, card.name, __version__, lambda *_: None).topic
    status = f"{settings.discovery_prefix}/status"
    retained = _retained(config.mqtt, (place, status))
    if retained is None:
        yield _finding(Verdict.SKIP, "the broker cannot be reached: see `affectd doctor --only broker`")
        return
    yield _description(place, retained.get(place), wanted)
    yield _running(retained.get(status))


def _description(place: str, held: bytes | None, wanted: dict[str, Any]) -> Finding:
    if not held:
        return _finding(
            Verdict.WARN,
            f"the broker has no discovery message at {place}, or does not let us read it",
            "start affectd: it publishes the message at every connection",
        )
    try:
        described = msgspec.json.decode(held)
    except msgspec.DecodeError:
        described = None
    if described != wanted:
        return _finding(
            Verdict.WARN,
            f"the discovery message at {place} does not match this affectd and this model",
            "restart affectd; if that does not help, a second device has the same name",
        )
    return _finding(Verdict.OK, f"announced with {len(wanted['components'])} entities at {place}")


def _running(status: bytes | None) -> Finding:
    if status == b"online":
        return _finding(Verdict.OK, "Home Assistant is online")
    if status == b"offline":
        return _finding(
            Verdict.WARN, "Home Assistant is offline", "start Home Assistant, or its MQTT integration"
        )
    return _finding(
        Verdict.SKIP, "Home Assistant has not said whether it is running; it does so only at start"
    )


def _retained(settings: MqttSettings, topics: Sequence[str]) -> dict[str, bytes] | None:
    """What the broker retains at these topics; None if it cannot be reached or refuses us."""
    for protocol in settings.protocols:
        answer = _ask(settings, protocol, topics)
        if isinstance(answer, dict):
            return answer
        if answer is None or answer.value not in UNSUPPORTED_VERSION:
            break
    return None


def _ask(
    settings: MqttSettings, protocol: Protocol, topics: Sequence[str]
) -> dict[str, bytes] | ReasonCode | None:
    """What the broker retains, or the reason for which it refuses us; None if it gives none."""
    heard: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
    client = make_client(settings, protocol, f"{settings.client_id}-{uuid.uuid4().hex[:8]}")
    client.on_connect = lambda *arguments: heard.put(("", arguments[3]))
    client.on_message = lambda *arguments: heard.put((arguments[2].topic, bytes(arguments[2].payload)))
    try:
        client.connect(settings.host, settings.port)
    except OSError:
        return None
    client.loop_start()
    try:
        try:
            _, reason = heard.get(timeout=_CONNECT_S)
        except queue.Empty:
            return None
        if reason.is_failure:
            refused: ReasonCode = reason
            return refused
        client.subscribe([(topic, 1) for topic in topics])
        return _collect(heard, len(topics))
    finally:
        client.disconnect()
        client.loop_stop()


def _collect(heard: queue.SimpleQueue[tuple[str, Any]], most: int) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    deadline = time.monotonic() + _LISTEN_S
    while len(found) < most:
        try:
            topic, payload = heard.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        found[topic] = payload
    return found


def _finding(verdict: Verdict, message: str, remedy: str = "") -> Finding:
    return Finding(stage=Stage.HOME_ASSISTANT, verdict=verdict, message=message, remedy=remedy)
