"""A client that learns from the broker what it may do."""

from __future__ import annotations

import threading
from pathlib import Path

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

WAIT_S = 10.0


class User:
    """One client, whose broker answers with reasons because it speaks MQTT 5."""

    def __init__(
        self,
        port: int,
        name: str | None,
        password: str | None = None,
        *,
        host: str = "127.0.0.1",
        ca_file: Path | None = None,
        client: tuple[Path, Path] | None = None,
    ) -> None:
        self.answer: ReasonCode | None = None
        self.received: list[str] = []
        self._connected = threading.Event()
        self._published: dict[int, ReasonCode] = {}
        self._changed = threading.Condition()
        self._subscribed = threading.Event()
        self.client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        if name is not None:
            self.client.username_pw_set(name, password)
        if ca_file is not None:
            certificate, key = client or (None, None)
            self.client.tls_set(ca_file, certificate, key)
        self.client.on_connect = self._on_connect
        self.client.on_publish = self._on_publish
        self.client.on_subscribe = lambda *_: self._subscribed.set()
        self.client.on_message = self._on_message
        self.client.connect(host, port)
        self.client.loop_start()
        assert self._connected.wait(WAIT_S)

    def _on_connect(self, _c: object, _u: object, _f: object, reason: ReasonCode, _p: object) -> None:
        self.answer = reason
        self._connected.set()

    def _on_publish(self, _c: object, _u: object, mid: int, reason: ReasonCode, _p: Properties) -> None:
        with self._changed:
            self._published[mid] = reason
            self._changed.notify_all()

    def _on_message(self, _c: object, _u: object, message: MQTTMessage) -> None:
        with self._changed:
            self.received.append(message.topic)
            self._changed.notify_all()

    def publish(self, topic: str, *, retain: bool = False) -> bool:
        """Whether the broker took it."""
        mid = self.client.publish(topic, "{}", qos=1, retain=retain).mid
        with self._changed:
            assert self._changed.wait_for(lambda: mid in self._published, WAIT_S)
            return not self._published[mid].is_failure

    def subscribe(self, topic: str) -> None:
        self._subscribed.clear()
        self.client.subscribe(topic, qos=1)
        assert self._subscribed.wait(WAIT_S)

    def got(self, topic: str) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: topic in self.received, WAIT_S)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()
