"""The present of the device, as its messages tell it, and whoever wants to hear what is new of it."""

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
"""Of a message: a turn has less than one"""

_BACKLOG = 64
"""News that wait for a slow listener; beyond these it is told the whole anew"""


class BrokerView(msgspec.Struct, frozen=True, kw_only=True):
    """How the connection to the broker stands."""

    address: str
    connected: bool = False
    trouble: str | None = None
    """Why not, or what the broker does not let us read; null when all is well"""


class Present(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the device now."""

    device: str
    broker: BrokerView
    availability: str | None = None
    """`online`, `offline`, or null before the device was ever heard of"""

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
    """The last ones, oldest first"""


class Listener:
    """One who follows the stream. News beyond the backlog give way to a snapshot, so none holds much."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._news: deque[News] = deque()
        self._behind = True
        self._wake = asyncio.Event()

    def tell(self, news: News) -> None:
        """Take what is new."""
        if len(self._news) >= _BACKLOG:
            self._behind = True
        if not self._behind:
            self._news.append(news)
        self.wake()

    def wake(self) -> None:
        """End the waiting in `hear`."""
        self._wake.set()

    async def hear(self, timeout_s: float) -> list[News]:
        """What is new since the last call, waited for; nothing when the time is over or the stream ends."""
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
    """Follows one device. All in the event loop's thread."""

    def __init__(self, device: str, address: str) -> None:
        self._present = Present(device=device, broker=BrokerView(address=address))
        self._turns: deque[Turn] = deque(maxlen=KEPT_TURNS)
        self._listeners: set[Listener] = set()
        self._misunderstood: set[str] = set()
        self.closed = False

    @property
    def present(self) -> Present:
        """What is known of the device now."""
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
        """Whether nobody more may listen."""
        return len(self._listeners) >= MAX_LISTENERS

    def join(self) -> Listener | None:
        """One more who listens; None when they are too many. To be given back to `leave`."""
        if self.closed or self.is_full:
            return None
        listener = Listener(self)
        self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """One less."""
        self._listeners.discard(listener)

    def close(self) -> None:
        """End every stream."""
        self.closed = True
        for listener in self._listeners:
            listener.wake()

    def broker(self, connected: bool, trouble: str | None) -> None:
        """The connection has changed."""
        view = msgspec.structs.replace(self._present.broker, connected=connected, trouble=trouble)
        if view != self._present.broker:
            self._set(broker=view)

    def receive(self, what: str, payload: bytes) -> None:
        """Take a message of the device: the last level of its topic, and its content."""
        try:
            self._take(what, payload)
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
            if what not in self._misunderstood:
                self._misunderstood.add(what)
                _LOG.warning("messages on …/%s are not understood and left out: %s", what, error)

    def _take(self, what: str, payload: bytes) -> None:
        if len(payload) > _MAX_BYTES:
            raise ValueError(f"it has {len(payload)} bytes")
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
