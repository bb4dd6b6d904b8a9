"""The current state of the device, according to its messages, and the listeners that follow it."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import Any

import msgspec

from edge.mqtt.messages import Health, State, Turn

_LOG = logging.getLogger(__name__)

KEPT_TURNS = 200
MAX_LISTENERS = 32
_MAX_BYTES = 64 * 1024
"""Size limit of a message: a turn has less than 1 KiB"""

_BACKLOG = 64
"""Events queued for a slow listener; beyond that, it gets a new snapshot"""


class BrokerView(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the connection to the broker."""

    address: str
    connected: bool = False
    trouble: str | None = None
    """Why it is not connected, or what the broker does not let us read; null if all is well"""


class Present(msgspec.Struct, frozen=True, kw_only=True):
    """What is currently known of the device."""

    device: str
    broker: BrokerView
    availability: str | None = None
    """`online`, `offline`, or null if nothing was heard from the device yet"""

    state: State | None = None
    health: Health | None = None


class News(msgspec.Struct, frozen=True):
    """One event of the stream."""

    name: str
    """snapshot, broker, availability, state, health or turn"""

    data: Any


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Everything at once: the first event of a stream."""

    present: Present
    turns: list[Turn]
    """The last turns, oldest first"""


class Listener:
    """A listener of the stream. A snapshot replaces events beyond the backlog, so none holds much memory."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._news: deque[News] = deque()
        self._behind = True
        self._wake = asyncio.Event()

    def tell(self, news: News) -> None:
        """Take one more event."""
        if len(self._news) >= _BACKLOG:
            self._behind = True
        if not self._behind:
            self._news.append(news)
        self.wake()

    def wake(self) -> None:
        """End the wait in `hear`."""
        self._wake.set()

    async def hear(self, timeout_s: float) -> list[News]:
        """Wait for events since the last call; empty when the time is up or the stream ends."""
        if not self._behind and not self._news:
            self._wake.clear()
            try:
                await asyncio.wait_for(self._wake.wait(), timeout_s)
            except TimeoutError:
                return []
        if self._behind:
            self._behind = False
            self._news.clear()
            return [News("snapshot", self._live.snapshot())]
        news = list(self._news)
        self._news.clear()
        return news


class Live:
    """Follows one device. Used only in the event loop's thread."""

    def __init__(self, device: str, address: str) -> None:
        self._present = Present(device=device, broker=BrokerView(address=address))
        self._turns: deque[Turn] = deque(maxlen=KEPT_TURNS)
        self._listeners: set[Listener] = set()
        self._misunderstood: set[str] = set()
        self.closed = False

    @property
    def present(self) -> Present:
        """What is currently known of the device."""
        return self._present

    @property
    def turns(self) -> list[Turn]:
        """The last turns, oldest first."""
        return list(self._turns)

    def snapshot(self) -> Snapshot:
        """Everything at once."""
        return Snapshot(present=self._present, turns=self.turns)

    @property
    def is_full(self) -> bool:
        """Whether no more listeners are accepted."""
        return len(self._listeners) >= MAX_LISTENERS

    def join(self) -> Listener | None:
        """Add a listener; None if there are too many. Hand it to `leave` when done."""
        if self.closed or self.is_full:
            return None
        listener = Listener(self)
        self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """Remove a listener."""
        self._listeners.discard(listener)

    def close(self) -> None:
        """End every stream."""
        self.closed = True
        for listener in self._listeners:
            listener.wake()

    def broker(self, connected: bool, trouble: str | None) -> None:
        """Take a change in the connection to the broker."""
        view = msgspec.structs.replace(self._present.broker, connected=connected, trouble=trouble)
        if view != self._present.broker:
            self._set(broker=view)

    def receive(self, what: str, payload: bytes) -> None:
        """Take a message from the device: the last level of its topic, and its payload."""
        try:
            self._take(what, payload)
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
            if what not in self._misunderstood:
                self._misunderstood.add(what)
                _LOG.warning("messages on …/%s cannot be decoded and are ignored: %s", what, error)

    def _take(self, what: str, payload: bytes) -> None:
        if len(payload) > _MAX_BYTES:
            raise ValueError(f"{len(payload)} bytes are too many")
        if what == "availability":
            # An empty retained message is how a topic is cleared.
            self._set(availability=payload.decode()[:32] or None)
        elif what == "state":
            self._set(state=msgspec.json.decode(payload, type=State) if payload else None)
        elif what == "health":
            self._set(health=msgspec.json.decode(payload, type=Health) if payload else None)
        elif what == "turn":
            self._add(msgspec.json.decode(payload, type=Turn))

    def _add(self, turn: Turn) -> None:
        # A turn may be delivered twice, with the same id.
        if all(turn.id != known.id for known in self._turns):
            self._turns.append(turn)
            self._tell(News("turn", turn))

    def _set(self, **change: Any) -> None:
        self._present = msgspec.structs.replace(self._present, **change)
        for name, value in change.items():
            self._tell(News(name, value))

    def _tell(self, news: News) -> None:
        for listener in self._listeners:
            listener.tell(news)
