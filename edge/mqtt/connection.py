"""The connection to the broker: established, kept and re-established by a thread of its own."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTMessageInfo
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge.mqtt import diagnosis
from edge.mqtt.backoff import Backoff
from edge.mqtt.paho_client import CONNECT_S, keepalive_s, make_client
from edge.mqtt.settings import MqttSettings, Protocol
from edge.mqtt.situation import Situation

_JOIN_S = 0.5
"""Seconds to wait for paho's thread. It sleeps for up to a second between attempts, but is a daemon thread"""


class Connection:
    """Connects, and keeps trying until it is closed; logs what is wrong.

    With protocol `AUTO`, the connection falls back to MQTT 3.1.1 if the broker refuses MQTT 5. If the broker
    does not answer at all (amqtt, for example, waits for the rest of a packet that it cannot parse), the two
    versions are tried alternately.

    Args:
        settings: of the connection.
        will: topic and payload of the last will, which is retained; None for a client that only listens.
        on_welcome: called when the broker has accepted the connection; messages may be published from then
            on.
        on_loss: called when messages may not be published any more.
        on_publish: called with the reason code when the broker has accepted or refused a message.
        on_message: called with topic, payload and whether it was retained.
        backoff: how long to wait between two attempts.
        on_news: called with the text of each change in the connection, as in the log.

    All callbacks run in the network thread, with locks of paho held: they must not wait for a thread that
    publishes.

    Raises:
        MqttSettingsError: when the password or a TLS file cannot be used.
    """

    def __init__(
        self,
        settings: MqttSettings,
        will: tuple[str, bytes] | None,
        on_welcome: Callable[[], None],
        on_loss: Callable[[], None],
        on_publish: Callable[[ReasonCode], None],
        on_message: Callable[[str, bytes, bool], None],
        backoff: Backoff | None = None,
        on_news: Callable[[str], None] | None = None,
    ) -> None:
        self._settings = settings
        self._welcome, self._loss, self._published, self._received = (
            on_welcome, on_loss, on_publish, on_message,
        )  # fmt: skip
        self._backoff = backoff or Backoff()
        self.situation = Situation(settings, self._backoff.longest_s, on_news)
        """Logs the state of the connection"""
        self._patterns: list[str] = []
        self._subscribing: dict[int, list[str]] = {}
        self._tries = False
        self._stands = False
        self._closing = threading.Event()
        self._swapping = threading.Lock()
        self._thread: threading.Thread | None = None
        self._client = self._make_client(settings.protocol, will)
        # Made now, so that a bad password or TLS file raises an error at start-up, when somebody reads it.
        self._other = self._make_client(Protocol.V3_1_1, will) if settings.protocol is Protocol.AUTO else None
        """Client for the other version of MQTT; None once it is known which one the broker speaks"""
        self._patience: threading.Timer | None = None
        self._given_up: Client | None = None

    def _make_client(self, protocol: Protocol, will: tuple[str, bytes] | None) -> Client:
        client = make_client(self._settings, protocol, self._settings.client_id)
        if will is not None:
            client.will_set(*will, qos=1, retain=True)
        client.on_pre_connect = self._on_pre_connect
        client.on_socket_open = self._on_socket_open
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_publish = lambda *arguments: self._published(arguments[3])
        client.on_message = self._on_message
        return client

    @property
    def alive(self) -> bool:
        """Whether the network thread runs or has not started yet."""
        thread = self._thread
        return thread is None or thread.is_alive()

    def start(self, patterns: Sequence[str]) -> None:
        """Start connecting, and subscribe to these patterns on every connection. Returns at once."""
        self._patterns = list(patterns)
        self._begin(self._client)

    def _begin(self, client: Client) -> None:
        if self._closing.is_set():
            return
        client.connect_async(self._settings.host, self._settings.port, keepalive_s(self._settings))
        try:
            client.loop_start()
        except OSError as error:
            # paho wakes its thread over 127.0.0.1, which does not exist without a loopback interface.
            self._trouble(diagnosis.of_error(error, self._settings))
            later = threading.Timer(self._backoff.next_s(), self._begin, (client,))
            later.daemon = True
            later.start()

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool) -> MQTTMessageInfo:
        """Hand a message to paho, which sends it once connected."""
        return self._client.publish(topic, payload, qos=qos, retain=retain)

    def fall_silent(self) -> None:
        """Stop logging problems: the connection is about to be closed."""
        with self._swapping:
            self._closing.set()

    def close(self) -> None:
        """Disconnect, and stop trying."""
        self.fall_silent()
        self._client.disconnect()
        if self._thread is not None:
            self._thread.join(_JOIN_S)

    # The methods below run in paho's network thread.

    def _on_pre_connect(self, client: Client, _userdata: Any) -> None:
        self._thread = threading.current_thread()
        self._tries = True
        self.situation.explained = False
        if self._closing.is_set():
            client.disconnect()

    def _on_socket_open(self, client: Client, _userdata: Any, _socket: Any) -> None:
        if self._other is not None:
            self._patience = threading.Timer(CONNECT_S, self._give_up, (client,))
            self._patience.daemon = True
            self._patience.start()

    def _give_up(self, client: Client) -> None:
        """Timer callback: the broker has not answered in this version of MQTT."""
        with self._swapping:
            if self._other is not None and client is self._client:
                self._given_up = client
                client.disconnect()

    def _on_connect_fail(self, client: Client, _userdata: Any) -> None:
        # paho passes no reason, but calls from within its `except OSError`.
        self._trouble(diagnosis.of_error(sys.exc_info()[1], self._settings))
        self._wait(client)

    def _on_connect(
        self,
        client: Client,
        _userdata: Any,
        _flags: ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if self._patience is not None:
            self._patience.cancel()
        if self._other is not None and reason.value in diagnosis.UNSUPPORTED_VERSION:
            self._speak_otherwise(0.0)
            return
        if reason.is_failure:
            self._trouble(diagnosis.of_refusal(reason, self._settings))
            return
        if self._closing.is_set():
            client.disconnect()
            return
        with self._swapping:
            if client is self._given_up:
                return
            self._other = None
        self._stands = True
        self._backoff.welcomed()
        self.situation.connected()
        if self._patterns:
            _, number = client.subscribe([(pattern, 1) for pattern in self._patterns])
            if number is not None:
                self._subscribing = {number: self._patterns}
        self._welcome()

    def _speak_otherwise(self, wait_s: float) -> None:
        """Start again in the other version of MQTT, after a wait."""
        self._closing.wait(wait_s)
        with self._swapping:
            if self._other is None or self._closing.is_set():
                return
            self._client, self._other = self._other, self._client
            self._thread = self._given_up = None
        self._other.disconnect()
        # This runs in its network thread, which would otherwise try to reconnect.
        self._other.loop_stop()
        self._begin(self._client)

    def _on_disconnect(
        self,
        client: Client,
        _userdata: Any,
        _flags: DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        # After an unanswered ping, paho reports the loss twice: handle it once.
        if client is not self._client or not self._tries:
            return
        self._tries = False
        stood, self._stands = self._stands, False
        self._loss()
        silent = not stood and not self.situation.explained
        if stood and not self._closing.is_set():
            self.situation.lost(reason)
        elif silent:
            self._trouble(diagnosis.of_silence(self._settings, reason))
        if silent and self._other is not None:
            self._speak_otherwise(self._backoff.next_s())
        else:
            self._wait(client)

    def _wait(self, client: Client) -> None:
        wait_s = self._backoff.next_s()
        # With equal bounds, paho waits exactly that long. It is annotated as int, but takes fractions.
        client.reconnect_delay_set(wait_s, wait_s)  # type: ignore[arg-type]

    def _trouble(self, why: diagnosis.Diagnosis) -> None:
        if not self._closing.is_set():
            self.situation.trouble(why)

    def _on_subscribe(
        self,
        _client: Client,
        _userdata: Any,
        number: int,
        reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        for pattern, reason in zip(self._subscribing.pop(number, []), reasons, strict=False):
            if reason.is_failure:
                self.situation.refused(pattern, reason, "read")

    def _on_message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        self._received(message.topic, bytes(message.payload), message.retain)
