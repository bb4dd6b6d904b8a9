"""Follows the device over MQTT, read-only."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from typing import Any

import msgspec

from edge.mqtt.backoff import Backoff
from edge.mqtt.connection import Connection
from edge.mqtt.settings import MqttSettings
from edge.web.live import Live

_LONGEST_S = 5.0
"""Longest wait between two attempts to connect: somebody may be looking at the page"""

_CONNECTED = "connected"


class Follower:
    """Passes the messages of the device from the network thread to the event loop.

    Raises:
        MqttSettingsError: when the password or a TLS file cannot be used.
    """

    def __init__(self, settings: MqttSettings, live: Live, loop: asyncio.AbstractEventLoop) -> None:
        topics = settings.topics
        self._live = live
        self._loop = loop
        self._topics = {
            topic: topic.rpartition("/")[2]
            for topic in (topics.availability, topics.state, topics.turn, topics.health)
        }
        self._connected = False
        self._trouble: str | None = None
        self._denied: str | None = None
        """What the broker does not let us read"""
        # The device itself uses the client id in the settings, and a broker allows only one client per id.
        own_name = msgspec.structs.replace(settings, client_id=f"affectd-web-{uuid.uuid4().hex[:8]}")
        self._connection = Connection(
            own_name,
            will=None,
            on_welcome=self._welcome,
            on_loss=self._lose,
            on_publish=lambda _reason: None,
            on_message=self._pass_on,
            backoff=Backoff(longest_s=_LONGEST_S),
            on_news=self._hear_news,
        )

    def start(self) -> None:
        """Start connecting, and keep trying."""
        self._connection.start(list(self._topics))

    def stop(self) -> None:
        """Disconnect."""
        self._connection.close()

    # The methods below run in the network thread.

    def _welcome(self) -> None:
        self._connected, self._trouble = True, None
        self._say()

    def _lose(self) -> None:
        self._connected = False
        self._say()

    def _hear_news(self, news: str) -> None:
        if self._connected:
            # This is reported once, and remains true over the next connections.
            self._denied = news
        elif news != _CONNECTED:
            self._trouble = news
        self._say()

    def _say(self) -> None:
        self._soon(self._live.broker, self._connected, self._denied if self._connected else self._trouble)

    def _pass_on(self, topic: str, payload: bytes, _retained: bool) -> None:
        if self._denied is not None:
            self._denied = None
            self._say()
        self._soon(self._live.receive, self._topics.get(topic, ""), payload)

    def _soon(self, call: Callable[..., None], *arguments: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(call, *arguments)
        except RuntimeError:
            return  # the event loop has ended, and the process is about to
