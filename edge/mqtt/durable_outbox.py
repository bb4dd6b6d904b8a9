"""The outbox that survives a restart: turns wait in a SQLite file, which a separate thread writes."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from edge.mqtt.outbox import MemoryOutbox, Outbox, QueuedTurn
from edge.mqtt.outbox_rescue import renew
from edge.mqtt.outbox_settings import OutboxSettings, Storage
from edge.mqtt.turn_store import StoreDamagedError, StoreUnavailableError, TurnStore

_LOG = logging.getLogger(__name__)

_PAGE = 256
"""Turns read from the file at a time"""

_RETRY_S = 30.0
"""Seconds between attempts to write while the disk refuses"""

_CLOSE_S = 1.0
_SETTLE_S = 2.0
"""Longest wait for a slow disk, in seconds: the microphone's buffer holds twice as much sound"""
_NONE = -1


def open_outbox(settings: OutboxSettings, device: str) -> Outbox:
    """Open the outbox that the settings describe, with the turns that an earlier run left in it."""
    if settings.storage is Storage.MEMORY:
        return MemoryOutbox(settings)
    return DurableOutbox(settings, settings.file(device))


def steady_clock() -> Callable[[], float]:
    """Seconds since 1970 by a clock that is set once: later changes of the system time do not age turns."""
    beginning = time.time() - time.monotonic()
    return lambda: beginning + time.monotonic()


class DurableOutbox:
    """A bounded queue of turns on disk.

    The queue is one sequence: the older turns are in the file; the newer ones, which the writer thread has
    not written yet, are in memory. Neither `put` nor `remove` waits for the disk. If the disk is full,
    read-only or failing, the newer part grows in memory, within the same bounds, and this is logged once.
    """

    def __init__(
        self, settings: OutboxSettings, path: Path, clock: Callable[[], float] | None = None
    ) -> None:
        """Open or create the file. If that fails, log why and queue turns in memory."""
        self._settings = settings
        self._path = path
        self._clock = clock or steady_clock()
        self._changed = threading.Condition()
        self._fresh: deque[QueuedTurn] = deque()
        self._ahead: deque[QueuedTurn] = deque()
        self._store = self._open()
        store = self._store
        self._stored_upto = store.last_key if store else _NONE
        self._done_upto = self._deleted_upto = store.first_key - 1 if store else _NONE
        self._count = self._stored_upto - self._done_upto
        self._bytes = store.size_bytes if store else 0
        self._next_key = self._stored_upto + 1
        self._damaged = False
        self._in_memory = store is None
        self._dropped = 0
        self._closing = False
        self._on_ready: Callable[[], None] = lambda: None
        self._writer: threading.Thread | None = None

    def _open(self) -> TurnStore | None:
        try:
            try:
                return TurnStore(self._path)
            except StoreDamagedError:
                return renew(self._path)
        except (StoreDamagedError, StoreUnavailableError) as error:
            _LOG.error("%s. Until the next restart, turns are queued in memory only", error)
            return None

    @property
    def dropped(self) -> int:
        """Turns dropped because they were too many or too old, since this outbox was opened."""
        return self._dropped

    @property
    def alive(self) -> bool:
        """Whether the writer thread runs, has not started yet, or has been told to end."""
        return self._closing or self._writer is None or self._writer.is_alive()

    @property
    def in_memory(self) -> bool:
        """Whether turns are kept in memory because the disk does not accept them at present."""
        return self._in_memory

    def start(self, on_ready: Callable[[], None]) -> None:
        """Start the writer thread."""
        self._on_ready = on_ready
        self._writer = threading.Thread(target=self._write, name="outbox", daemon=True)
        self._writer.start()

    def put(self, payload: bytes) -> None:
        """Add a turn; when full, drop the oldest."""
        with self._changed:
            self._fresh.append(QueuedTurn(self._next_key, self._clock(), payload))
            self._next_key += 1
            self._count += 1
            self._bytes += len(payload)
            self._drop()
            self._changed.notify_all()

    def settle(self) -> None:
        """With `fsync`, wait until all turns are on disk, or the disk fails or is slow; else do nothing."""
        if not self._settings.fsync or self._writer is None:
            return
        with self._changed:
            newest = self._next_key - 1
            settled = self._changed.wait_for(
                lambda: self._stored_upto >= newest or self._in_memory or self._closing, _SETTLE_S
            )
        if not settled:
            _LOG.warning("outbox %s: writing to the disk takes longer than %g s", self._path, _SETTLE_S)

    def head(self) -> tuple[int, bytes] | None:
        """Key and payload of the oldest turn; with `fsync`, only once it is on disk."""
        with self._changed:
            self._drop()
            turn = self._oldest()
        held_back = self._settings.fsync and not self._in_memory
        if turn is None or (held_back and turn.key > self._stored_upto):
            return None
        return turn.key, turn.payload

    def remove(self, key: int) -> None:
        """Remove a turn that the broker has, and all before it; the file follows with the next commit."""
        with self._changed:
            self._remove(key)
            self._changed.notify_all()

    def close(self) -> None:
        """Write what is queued and close the file; do not wait for a disk that hangs."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            if self._count and not self._in_memory:
                _LOG.info("outbox %s: %d turns are kept for the next start", self._path, self._count)
        if self._writer is not None:
            self._writer.join(_CLOSE_S)
            if self._writer.is_alive():
                _LOG.warning("outbox %s: the disk does not respond; queued turns may be lost", self._path)
                return
        elif self._store is not None:
            self._commit()
        if self._store is not None:
            self._store.close()

    def __len__(self) -> int:
        return self._count

    # Called with the lock held:

    def _oldest(self) -> QueuedTurn | None:
        if not self._ahead and self._store and self._done_upto < self._stored_upto and not self._damaged:
            self._read_ahead(self._store)
        if self._ahead:
            return self._ahead[0]
        # While the file is waiting for repair, newer turns must not overtake those in it.
        return self._fresh[0] if self._fresh and not self._damaged else None

    def _read_ahead(self, store: TurnStore) -> None:
        try:
            self._ahead.extend(store.page(self._done_upto, _PAGE))
        except (StoreDamagedError, StoreUnavailableError):
            self._damaged = True
            self._changed.notify_all()
            return
        if not self._ahead:
            self._done_upto = self._stored_upto
            self._recount()

    def _recount(self, stored: int = 0, stored_bytes: int = 0) -> None:
        missing = self._count - stored - len(self._fresh)
        if missing > 0:
            _LOG.error("outbox %s: %d turns were lost due to damage to the file", self._path, missing)
        self._count = stored + len(self._fresh)
        self._bytes = stored_bytes + sum(len(turn.payload) for turn in self._fresh)

    def _remove(self, key: int) -> None:
        had_stored = self._done_upto < self._stored_upto
        while (turn := self._oldest()) is not None and turn.key <= key:
            (self._ahead or self._fresh).popleft()
            self._count -= 1
            self._bytes -= len(turn.payload)
            self._done_upto = turn.key
        self._done_upto = max(self._done_upto, key)
        if had_stored and self._done_upto >= self._stored_upto:
            # The count still included turns that turned out to be damaged in the file.
            self._recount()

    def _drop(self) -> None:
        limits, oldest = self._settings, self._clock() - self._settings.max_age_s
        while (turn := self._oldest()) is not None and (
            self._count > limits.max_turns or self._bytes > limits.max_bytes or turn.at < oldest
        ):
            self._remove(turn.key)
            self._dropped += 1

    def _is_due(self) -> bool:
        return self._closing or self._damaged or bool(self._store and (self._fresh or self._has_done()))

    def _has_done(self) -> bool:
        return self._deleted_upto < min(self._done_upto, self._stored_upto)

    def _is_urgent(self) -> bool:
        hurried = self._settings.fsync and bool(self._fresh) and not self._in_memory
        return self._closing or self._damaged or hurried

    # In the writer thread:

    def _write(self) -> None:
        closing = False
        while not closing:
            with self._changed:
                self._changed.wait_for(self._is_due)
                pause_s = _RETRY_S if self._in_memory else self._settings.commit_s
                self._changed.wait_for(self._is_urgent, pause_s)
                closing = self._closing
            self._commit()
            self._on_ready()

    def _commit(self) -> None:
        with self._changed:
            if self._damaged:
                self._repair()
            store, turns, done = self._store, list(self._fresh), self._done_upto
            if store is None or not (turns or self._has_done()):
                return
        try:
            store.write(turns, done)
            if not turns and done >= self._stored_upto:
                store.shrink()
        except StoreDamagedError:
            with self._changed:
                self._repair()
        except StoreUnavailableError as error:
            if not self._in_memory:
                with self._changed:
                    self._in_memory = True
                    self._changed.notify_all()
                _LOG.error("%s. Until writing works again, turns are queued in memory only", error)
        else:
            with self._changed:
                self._written(turns, done)

    def _written(self, turns: list[QueuedTurn], done: int) -> None:
        if self._in_memory:
            self._in_memory = False
            _LOG.info("outbox %s: turns are written to disk again", self._path)
        self._deleted_upto = done
        if turns:
            self._stored_upto = turns[-1].key
        while self._fresh and self._fresh[0].key <= self._stored_upto:
            self._fresh.popleft()
        self._changed.notify_all()

    def _repair(self) -> None:
        """Renew the file, or do without it if that fails. Turns read ahead are in the file as well."""
        if self._store is not None:
            self._store.close()
        self._ahead.clear()
        self._store, self._damaged = None, False
        stored = stored_bytes = 0
        try:
            self._store = renew(self._path, lambda turn: self._done_upto < turn.key <= self._stored_upto)
            stored, stored_bytes = self._store.count_turns(), self._store.size_bytes
        except (StoreDamagedError, StoreUnavailableError) as error:
            _LOG.error("%s. Until the next restart, turns are queued in memory only", error)
            self._done_upto = self._stored_upto
        self._in_memory = self._store is None
        self._deleted_upto = self._done_upto
        self._recount(stored, stored_bytes)
        self._changed.notify_all()
