"""Tests the path to the broker and back, step by step: where it fails, and what to do about it."""

from __future__ import annotations

import queue
import socket
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec
from paho.mqtt.client import Client
from paho.mqtt.reasoncodes import ReasonCode

from edge.mqtt import diagnosis
from edge.mqtt.commands import CommandResult
from edge.mqtt.diagnosis import Diagnosis
from edge.mqtt.errors import MqttSettingsError
from edge.mqtt.paho_client import make_client
from edge.mqtt.settings import MqttSettings, Protocol, Transport
from edge.mqtt.tls import make_context

_ALERT_S = 0.3
"""Seconds to wait for an alert: with TLS 1.3, a broker rejects our certificate only after the handshake"""


class Step(StrEnum):
    """One step of the path."""

    DNS = "DNS"
    TCP = "TCP"
    TLS = "TLS"
    WEBSOCKET = "WebSocket"
    LOGIN = "login"
    PUBLISH = "publish"
    SUBSCRIBE = "subscribe back"


@dataclass(frozen=True, slots=True)
class Stage:
    """The result of one step."""

    step: Step
    ok: bool
    message: str
    """What was found"""

    remedy: str = ""
    """What to do; empty if all is well"""


def probe(settings: MqttSettings, timeout_s: float = 5.0) -> list[Stage]:
    """Test the path from this device to its broker and back, up to the first step that fails.

    Steps that the settings do not require (TLS, WebSocket) are left out. A running affectd is not disturbed:
    the client id is a different one, and the only message published goes to `command/doctor/result`, a topic
    that the device may both write and read, and that nobody waits for.

    Args:
        settings: of the connection.
        timeout_s: seconds that each step may take.
    """
    way = _Way(settings, timeout_s)
    try:
        way.go()
    except _EndedError as end:
        way.stages.append(Stage(way.step, False, *end.found))
    except MqttSettingsError as error:
        cause, _, remedy = str(error).partition("; ")
        way.stages.append(Stage(way.step, False, cause, remedy))
    finally:
        way.leave()
    return way.stages


class _EndedError(Exception):
    """Raised at the step that fails."""

    def __init__(self, found: Diagnosis) -> None:
        super().__init__(str(found))
        self.found = found


class _Way:
    """One run of the test, and the results of its steps so far."""

    def __init__(self, settings: MqttSettings, timeout_s: float) -> None:
        self.stages: list[Stage] = []
        self.step = Step.DNS
        """The step in progress"""
        self._settings = settings
        self._timeout_s = timeout_s
        self._client: Client | None = None
        self._heard: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()

    def go(self) -> None:
        """Try every step."""
        try:
            self._look_up()
            with self._connect() as connection:
                if self._settings.tls:
                    self._shake_hands(connection)
            protocol = self._log_in()
            self._publish_and_hear(protocol)
        except OSError as error:
            raise _EndedError(diagnosis.of_error(error, self._settings)) from error

    def leave(self) -> None:
        """Disconnect."""
        if self._client is not None:
            self._client.disconnect()
            self._client.loop_stop()

    def _done(self, message: str) -> None:
        self.stages.append(Stage(self.step, True, message))

    def _look_up(self) -> None:
        settings = self._settings
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
        addresses = ", ".join(dict.fromkeys(str(address[4][0]) for address in found))
        self._done(f"{settings.host} resolves to {addresses}")

    def _connect(self) -> socket.socket:
        self.step = Step.TCP
        address = (self._settings.host, self._settings.port)
        connection = socket.create_connection(address, self._timeout_s)
        self._done(f"{self._settings.address} accepts connections")
        return connection

    def _shake_hands(self, connection: socket.socket) -> None:
        self.step = Step.TLS
        context = make_context(self._settings)
        with context.wrap_socket(connection, server_hostname=self._settings.host) as secured:
            secured.settimeout(_ALERT_S)
            # No data means success: a broker sends nothing before the client does.
            with suppress(TimeoutError):
                secured.recv(1)
            certificate = secured.getpeercert() or {}
            self._done(f"{secured.version()}, certificate trusted and valid until {certificate['notAfter']}")

    def _log_in(self) -> Protocol:
        """Log in; returns the version of MQTT that the broker speaks."""
        for protocol in self._settings.protocols:
            reason = self._try_to_log_in(protocol)
            if not reason.is_failure:
                who = "anonymously" if self._settings.username is None else f"as {self._settings.username!r}"
                self._done(f"logged in {who}, MQTT {protocol}")
                return protocol
            if reason.value not in diagnosis.UNSUPPORTED_VERSION:
                break
        raise _EndedError(diagnosis.of_refusal(reason, self._settings))

    def _try_to_log_in(self, protocol: Protocol) -> ReasonCode:
        """Returns the broker's answer."""
        self.leave()
        heard: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._heard = heard
        self.step = Step.LOGIN
        client_id = f"{self._settings.client_id}-{uuid.uuid4().hex[:8]}"
        client = make_client(self._settings, protocol, client_id)
        client.connect_timeout = self._timeout_s
        client.on_connect = lambda *arguments: heard.put(("connect", arguments[3]))
        client.on_disconnect = lambda *_: heard.put(("disconnect", None))
        client.on_subscribe = lambda *arguments: heard.put(("subscribe", arguments[3][0]))
        client.on_publish = lambda *arguments: heard.put(("publish", arguments[3]))
        client.on_message = lambda *arguments: heard.put(("message", arguments[2].payload))
        websockets = self._settings.transport is Transport.WEBSOCKETS
        if websockets:
            self.step = Step.WEBSOCKET
        client.connect(self._settings.host, self._settings.port)
        if websockets and not any(stage.step is Step.WEBSOCKET for stage in self.stages):
            self._done(f"connected at {self._settings.path}")
        self.step = Step.LOGIN
        self._client = client
        client.loop_start()
        reason: ReasonCode | None = self._wait_for("connect")
        if reason is None:
            raise _EndedError(diagnosis.of_silence(self._settings))
        return reason

    def _publish_and_hear(self, protocol: Protocol) -> None:
        client = self._client
        assert client is not None  # noqa: S101  # logged in
        topic = f"{self._settings.topics.command}/doctor/result"
        payload = msgspec.json.encode(CommandResult(command="doctor", id=uuid.uuid4().hex, ok=True))
        client.subscribe(topic, qos=1)
        granted = self._wait_for("subscribe")
        client.publish(topic, payload, qos=1)
        self.step = Step.PUBLISH
        taken = self._wait_for("publish")
        if taken is None:
            raise _EndedError(diagnosis.of_silence(self._settings))
        if taken.is_failure:
            raise _EndedError(diagnosis.of_denial(topic, taken, self._settings))
        self._done(f"the broker accepts {topic}")
        self.step = Step.SUBSCRIBE
        if granted is None or granted.is_failure:
            reason = granted or "no answer"
            raise _EndedError(diagnosis.of_denial(topic, reason, self._settings, "read"))
        if self._wait_for("message") != payload:
            # Before MQTT 5, a broker acknowledges even messages that it discards.
            deed = "read" if protocol is Protocol.V5 else "write, or may not read,"
            reason = "the message did not come back"
            raise _EndedError(diagnosis.of_denial(topic, reason, self._settings, deed))
        self._done("the message came back")

    def _wait_for(self, kind: str) -> Any:
        """The next event of this kind; None if it does not arrive in time or the connection ends first."""
        deadline = time.monotonic() + self._timeout_s
        kept: list[tuple[str, Any]] = []
        found = None
        while True:
            try:
                event = self._heard.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                break
            if event[0] == kind:
                found = event[1]
                break
            kept.append(event)
            if event[0] == "disconnect":
                break
        for event in kept:
            self._heard.put(event)
        return found
