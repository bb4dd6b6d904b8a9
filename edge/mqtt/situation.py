"""Logs the state of the connection: one line for each change, not for every attempt."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from paho.mqtt.reasoncodes import ReasonCode

from edge.mqtt import diagnosis
from edge.mqtt.settings import MqttSettings

_LOG = logging.getLogger("edge.mqtt.client")

_QUICK_S, _QUICK_LOSSES = 10.0, 3
"""This many losses in a row, each this soon after the broker accepted the connection, are no accident"""


class Situation:
    """Remembers what was last logged about a broker, and logs only what is new."""

    def __init__(
        self, settings: MqttSettings, retry_max_s: float, on_news: Callable[[str], None] | None = None
    ) -> None:
        self._settings = settings
        self._address = settings.address
        self._retry_max_s = retry_max_s
        self._on_news = on_news
        self._welcomed_at = 0.0
        self._quick_losses = 0
        self._said = ""
        self._refused: set[str] = set()
        self.explained = False
        """Whether the reason of the present problem is known and logged"""

    def connected(self) -> None:
        """The broker has accepted the connection."""
        self._welcomed_at = time.monotonic()
        self._say("connected", logging.INFO)

    def lost(self, reason: ReasonCode) -> None:
        """An established connection has ended."""
        quick = time.monotonic() - self._welcomed_at < _QUICK_S
        self._quick_losses = self._quick_losses + 1 if quick else 0
        # Two clients with one id keep disconnecting each other, and MQTT 3.1.1 gives no reason.
        if self._quick_losses >= _QUICK_LOSSES:
            self.trouble(diagnosis.of_clash(self._settings))
        else:
            self.trouble(diagnosis.of_loss(reason, self._settings))

    def trouble(self, why: diagnosis.Diagnosis) -> None:
        """There is no connection."""
        self.explained = True
        self._say(f"{why}. Retrying at least every {self._retry_max_s:g} s", logging.WARNING)

    def refused(self, topic: str, reason: ReasonCode, deed: str) -> None:
        """The broker does not allow us to write or read a topic."""
        if topic not in self._refused:
            self._refused.add(topic)
            why = diagnosis.of_denial(topic, reason, self._settings, deed)
            self._tell(str(why), logging.WARNING)

    def _say(self, situation: str, level: int) -> None:
        if situation != self._said:
            self._said = situation
            self._tell(situation, level)

    def _tell(self, news: str, level: int) -> None:
        _LOG.log(level, "MQTT broker %s: %s", self._address, news)
        if self._on_news is not None:
            self._on_news(news)
