"""Publishes what the device has to say: its availability, its state and every turn."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Self

from paho.mqtt.client import topic_matches_sub
from paho.mqtt.reasoncodes import ReasonCode

from edge.mqtt.backoff import Backoff
from edge.mqtt.connection import Connection
from edge.mqtt.messages import State, Turn, encode
from edge.mqtt.outbox import MemoryOutbox, Outbox
from edge.mqtt.outbox_settings import OutboxSettings
from edge.mqtt.outgoing import Message, Outgoing
from edge.mqtt.settings import MqttSettings

_LOG = logging.getLogger(__name__)

ONLINE = b"online"
OFFLINE = b"offline"

_NEVER = {149, 153}
"""Reasons for which a broker will never accept the message: packet too large, payload format invalid"""


class Publisher:
    """Publishes one device's availability, state and turns, across outages of the broker.

        with Publisher(MqttSettings(host="broker.lan")) as publisher:
            publisher.publish_state(State(...))
            publisher.publish_turn(Turn(...))

    No call waits for the network. Turns queue in a bounded outbox and leave it one at a time, each after the
    broker has acknowledged the previous one: with MQTT, nothing else keeps their order across a lost
    connection. If all were handed to paho at once, a turn published between the TCP connection and the
    CONNACK would overtake those already queued, and a full queue would refuse the newest turn instead of
    dropping the oldest.
    """

    def __init__(
        self, settings: MqttSettings, outbox: Outbox | None = None, backoff: Backoff | None = None
    ) -> None:
        """Prepare the connection; `start` opens it.

        Raises:
            MqttSettingsError: when the password or a TLS file cannot be used.
        """
        self._settings = settings
        self._topics = settings.topics
        self._outbox: Outbox = MemoryOutbox(OutboxSettings()) if outbox is None else outbox
        # paho calls back with its own locks held, so this lock is never held while calling paho.
        self._changed = threading.Condition()
        self._outgoing = Outgoing(self._outbox, self._topics.turn)
        self._outgoing.set_latest(Message(self._topics.availability, ONLINE, retain=True))
        self._in_flight: Message | None = None
        self._connected = False
        self._stopping = False
        self._frozen = False
        self._dropped_before_outage = self._outbox.dropped
        self._handlers: list[tuple[str, Callable[[str, bytes, bool], None]]] = []
        self._connection = Connection(
            settings,
            will=(self._topics.availability, OFFLINE),
            on_welcome=self._on_welcome,
            on_loss=self._on_loss,
            on_publish=self._on_publish,
            on_message=self._on_message,
            backoff=backoff,
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted the connection and it is still up."""
        return self._connected and self.alive

    @property
    def alive(self) -> bool:
        """Whether network and outbox work or have not started yet; if False, messages may never leave."""
        return self._connection.alive and self._outbox.alive

    @property
    def queued(self) -> int:
        """Turns that the broker has not acknowledged yet."""
        with self._changed:
            return len(self._outbox)

    @property
    def dropped(self) -> int:
        """Turns dropped because too many were queued, or they were too old."""
        with self._changed:
            return self._outbox.dropped

    def start(self) -> None:
        """Start connecting, and keep trying until `stop`. Returns at once. A publisher starts only once."""
        self._outbox.start(self._advance)
        self._connection.start([pattern for pattern, _ in self._handlers])

    def wait_connected(self, timeout_s: float) -> bool:
        """Wait until the broker accepts the connection, at most `timeout_s`; returns whether it did."""
        with self._changed:
            return self._changed.wait_for(lambda: self._connected, timeout_s)

    def publish_state(self, state: State) -> None:
        """Publish this as the retained state; while the broker is away or slow, only the last one is kept."""
        self.publish_latest(self._topics.state, encode(state))

    def publish_latest(self, topic: str, payload: bytes) -> None:
        """Publish this as the retained value of a topic, and again after every reconnect."""
        with self._changed:
            self._outgoing.set_latest(Message(topic, payload, retain=True))
        self._advance()

    def publish_health(self, payload: bytes) -> None:
        """Publish this as the retained health, with QoS 0: the next report follows soon."""
        with self._changed:
            self._outgoing.set_latest(Message(self._topics.health, payload, retain=True, qos=0))
        self._advance()

    def answer(self, topic: str, payload: bytes) -> None:
        """Publish a message once, not retained; it is sure to arrive only if the connection lasts."""
        with self._changed:
            self._outgoing.add_answer(Message(topic, payload, retain=False))
        self._advance()

    def listen(self, patterns: Sequence[str], on_message: Callable[[str, bytes, bool], None]) -> None:
        """Subscribe, from the next connection on; call this before `start`.

        Args:
            patterns: topic filters.
            on_message: called in the network thread with topic, payload and whether it was retained.
        """
        self._handlers += [(pattern, on_message) for pattern in patterns]

    def publish_turn(self, turn: Turn) -> None:
        """Queue a turn: it is delivered at least once and in order, unless the outbox has to drop it."""
        payload = encode(turn)
        with self._changed:
            before = self._outbox.dropped
            self._outbox.put(payload)
            first_drop = before == self._dropped_before_outage < self._outbox.dropped
            waiting = len(self._outbox)
        self._outbox.settle()
        if first_drop:
            where = self._settings.address
            _LOG.warning("%d turns are queued for the broker %s: dropping the oldest now", waiting, where)
        self._advance()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Deliver what is queued, publish `offline`, disconnect: within `timeout_s`, at once if offline."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            if self._stopping:
                return
            self._stopping = True
        self._connection.fall_silent()
        with self._changed:
            # Half of the time is reserved for publishing `offline`.
            self._changed.wait_for(lambda: not self.connected or self._is_idle(), timeout_s / 2)
            self._frozen = True
            unsent = len(self._outbox)
        if unsent:
            _LOG.warning("stopping: %d turns were not delivered to %s", unsent, self._settings.address)
        if self.connected:
            self._say_offline(deadline)
        self._connection.close()
        self._outbox.close()

    def _say_offline(self, deadline: float) -> None:
        info = self._connection.publish(self._topics.availability, OFFLINE, qos=1, retain=True)
        try:
            info.wait_for_publish(max(0.0, deadline - time.monotonic()))
        except (RuntimeError, ValueError):
            _LOG.info("the connection ended before `offline` was published: the last will publishes it")

    def _is_idle(self) -> bool:
        return self._in_flight is None and self._outgoing.is_empty

    def _advance(self) -> None:
        """Hand paho the next message, unless one is in flight."""
        with self._changed:
            if not self._connected or self._frozen or self._in_flight is not None:
                return
            message = self._in_flight = self._outgoing.take_next()
        if message is not None:
            self._connection.publish(message.topic, message.payload, message.qos, message.retain)

    # The methods below run in the network thread.

    def _on_welcome(self) -> None:
        with self._changed:
            self._connected = True
            self._outgoing.repeat_latest()
            if self._in_flight is not None and self._in_flight.qos == 0:
                # QoS 0 is not acknowledged: it has arrived, or was lost with the connection.
                self._in_flight = None
            waiting = len(self._outbox)
            lost = self._outbox.dropped - self._dropped_before_outage
            self._dropped_before_outage += lost
            self._changed.notify_all()
        if waiting:
            _LOG.info("%d turns waited for the broker, %d were dropped", waiting, lost)
        self._advance()

    def _on_loss(self) -> None:
        with self._changed:
            self._connected = False
            self._changed.notify_all()

    def _on_message(self, topic: str, payload: bytes, retained: bool) -> None:
        for pattern, handler in self._handlers:
            if topic_matches_sub(pattern, topic):
                handler(topic, payload, retained)
                return

    def _on_publish(self, reason: ReasonCode) -> None:
        with self._changed:
            # With one message in flight, an acknowledgement can only be for that one.
            message = self._in_flight
            if message is None or self._frozen:
                return
            self._in_flight = None
            if message.turn is not None:
                if reason.is_failure and reason.value not in _NEVER:
                    self._outgoing.hold_turns()
                else:
                    self._outbox.remove(message.turn)
            self._changed.notify_all()
        if reason.is_failure:
            self._connection.situation.refused(message.topic, reason, "write")
        self._advance()
