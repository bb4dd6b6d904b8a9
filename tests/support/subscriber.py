"""A dashboard that listens, and the messages that a device says to it."""

from __future__ import annotations

import queue
import threading
import time
from typing import Any

import msgspec
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from edge.mqtt.commands import CommandResult
from edge.mqtt.messages import State, Turn, now

from .brokers import TIMEOUT_S


def make_state(emotion: str = "happy") -> State:
    return State(speaking=True, emotion=emotion, confidence=0.8, arousal=0.4, valence=0.6, since=now())


def make_turn(id: str) -> Turn:  # noqa: A002
    return Turn(
        id=id,
        started="2026-01-02T03:04:05.678Z",
        ended="2026-01-02T03:04:07.178Z",
        duration=1.5,
        emotion="sad",
        confidence=0.75,
        probabilities={"sad": 0.75, "neutral": 0.25},
        arousal=-0.5,
        valence=-0.5,
        snr_db=21.5,
        model="test",
        model_sha256="0" * 64,
    )


class Subscriber:
    """Subscribes and keeps what arrives; waits on arrival, never for a time."""

    def __init__(
        self,
        port: int,
        pattern: str,
        username: str | None = None,
        password: str | None = None,
        qos: int = 1,
    ) -> None:
        self._messages: queue.Queue[MQTTMessage] = queue.Queue()
        self._subscribed = threading.Event()
        self._pattern = pattern
        self._qos = qos
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.username_pw_set(username, password)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = lambda _client, _userdata, message: self._messages.put(message)
        self._client.connect_async("127.0.0.1", port)
        self._client.loop_start()
        self.wait_subscribed()

    def _on_connect(self, client: Client, *_: Any) -> None:
        client.subscribe(self._pattern, qos=self._qos)

    def __enter__(self) -> Subscriber:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def forget_subscription(self) -> None:
        """Before the broker goes away: `wait_subscribed` then waits for the next one."""
        self._subscribed.clear()

    def wait_subscribed(self) -> None:
        assert self._subscribed.wait(TIMEOUT_S), "the subscriber was not let in"

    def say(self, topic: str, payload: str) -> None:
        self._client.publish(topic, payload, qos=1)

    def command(self, device: str, name: str, **fields: Any) -> CommandResult:
        """Give a device a command; what it answers."""
        topic = f"affectd/{device}/command/{name}"
        self.say(topic, msgspec.json.encode({"id": "test", **fields}).decode())
        answer = msgspec.json.decode(self.wait_for(f"{topic}/result").payload, type=CommandResult)
        assert answer.id == "test"
        return answer

    def wait_for(self, topic: str, payload: bytes | None = None) -> MQTTMessage:
        """The next message on a topic, or the next with this payload."""
        return self.collect_until(topic, payload)[-1]

    def collect_until(self, topic: str, payload: bytes | None = None) -> list[MQTTMessage]:
        """All messages up to the one on this topic, with this payload if one is given."""
        messages = []
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            try:
                message = self._messages.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                seen = [(message.topic, message.payload) for message in messages]
                raise AssertionError(f"no {payload!r} on {topic}; came: {seen}") from None
            messages.append(message)
            if message.topic == topic and payload in (None, message.payload):
                return messages

    def turn_ids(self, topic: str, last: str) -> list[str]:
        """Ids of the turns in the order of arrival, up to that of the last."""
        ids: list[str] = []
        while last not in ids:
            ids.append(msgspec.json.decode(self.wait_for(topic).payload, type=Turn).id)
        return ids
