"""How the connection stands, in the log: one line for each change, not for every attempt."""

from __future__ import annotations

import logging

_LOG = logging.getLogger("edge.mqtt.client")


class Situation:
    """Remembers what was said last of a broker, and says only what is new."""

    def __init__(self, address: str, retry_max_s: int) -> None:
        self._address = address
        self._retry_max_s = retry_max_s
        self._said = ""
        self._refused: set[str] = set()
        self.explained = False
        """Whether the reason of the present trouble is known and said"""

    def connected(self) -> None:
        """The broker has let us in."""
        self._say("connected", logging.INFO)

    def trouble(self, why: str) -> None:
        """There is no connection."""
        self.explained = True
        self._say(f"{why}. Trying again, at least every {self._retry_max_s} s", logging.WARNING)

    def refused(self, topic: str, reason: object) -> None:
        """The broker took a message and threw it away."""
        if topic not in self._refused:
            self._refused.add(topic)
            _LOG.warning(
                "MQTT broker %s refuses messages on %s (%s); check its access control list",
                self._address,
                topic,
                reason,
            )

    def _say(self, situation: str, level: int) -> None:
        if situation != self._said:
            self._said = situation
            _LOG.log(level, "MQTT broker %s: %s", self._address, situation)
