"""The SQLite file of the durable outbox: reads and writes rows, and explains errors of the disk."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import zlib
from collections.abc import Iterable, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from edge.mqtt.errors import MqttError
from edge.mqtt.outbox import QueuedTurn

if TYPE_CHECKING:
    from collections.abc import Iterator

_APPLICATION_ID = 0x61666664
_FORMAT = 1
_BUSY_S = 5.0
_WAL_BYTES = 4_194_304
_SCHEMA = """CREATE TABLE IF NOT EXISTS turns (key INTEGER PRIMARY KEY, at REAL NOT NULL,
    upto INTEGER NOT NULL, crc INTEGER NOT NULL, payload BLOB NOT NULL)"""
_OLDEST_FIRST = "SELECT key, at, upto, crc, payload FROM turns ORDER BY key ASC"
_NEWEST_FIRST = "SELECT key, at, upto, crc, payload FROM turns ORDER BY key DESC"
_BEHIND = "SELECT key, at, upto, crc, payload FROM turns WHERE key > ? ORDER BY key LIMIT ?"
_INSERT = "INSERT INTO turns (key, at, upto, crc, payload) VALUES (?, ?, ?, ?, ?)"

# A disk that is full, read-only or failing may recover; any other SQLite error is the fault of the file.
_OF_THE_DISK = {
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_INTERRUPT,
}  # fmt: skip


class StoreUnavailableError(MqttError):
    """Raised when the disk is full, read-only or failing, or another process uses the file."""


class StoreDamagedError(MqttError):
    """Raised when the content of the file is not what affectd wrote."""


class TurnStore:
    """Turns in a file. One thread may write while another reads.

    `upto` in a row is the running total of payload bytes up to and including that row, so that the first and
    last rows give the total size: opening the file does not read all turns.

    Raises:
        StoreUnavailableError, StoreDamagedError: from every method but `close`, and from the constructor.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connections: list[sqlite3.Connection] = []
        self._lock_file: IO[bytes] | None = None
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        with explained(self._path):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock_file = _lock(self._path)
            # Only this user may read it: what people feel is private.
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
            self._writer = self._connect()
            self._prepare(self._writer)
            self._reader = self._connect()
            first, last = self._end(_OLDEST_FIRST), self._end(_NEWEST_FIRST)
        self.first_key, self.last_key = (first[0].key, last[0].key) if first and last else (0, -1)
        """Keys of the oldest and newest turn; (0, -1) when there is none"""
        self.size_bytes = last[1] - first[1] + len(first[0].payload) if first and last else 0
        """Total bytes of all payloads"""
        self._last_upto = last[1] if last else 0

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
        )
        self._connections.append(connection)
        connection.text_factory = bytes
        # By default, SQLite trusts the content of the file; this one may have been through a power cut.
        connection.executescript("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;")
        return connection

    def _prepare(self, writer: sqlite3.Connection) -> None:
        (known,) = writer.execute("PRAGMA application_id").fetchone()
        (version,) = writer.execute("PRAGMA user_version").fetchone()
        (tables,) = writer.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if tables and (known, version) != (_APPLICATION_ID, _FORMAT):
            raise StoreDamagedError(f"outbox {self._path}: this is not an outbox of this version of affectd")
        writer.execute("PRAGMA auto_vacuum = INCREMENTAL")
        (mode,) = writer.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != b"wal":
            raise StoreUnavailableError(
                f"outbox {self._path}: this file system does not support SQLite's write-ahead log; "
                "choose a path on a local disk"
            )
        writer.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES}")
        # Each commit waits until it is on disk; the outbox decides how often to commit.
        writer.execute("PRAGMA synchronous = FULL")
        if not tables:
            writer.execute("BEGIN IMMEDIATE")
            writer.execute(_SCHEMA)
            writer.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            writer.execute(f"PRAGMA user_version = {_FORMAT}")
            writer.execute("COMMIT")

    def _end(self, query: str) -> tuple[QueuedTurn, int] | None:
        """The first turn that a query returns, and its `upto`."""
        row = self._reader.execute(f"{query} LIMIT 1").fetchone()
        if row is None:
            return None
        turn = intact(row)
        if turn is None:
            raise StoreDamagedError(f"outbox {self._path}: its first or last turn is damaged")
        return turn, row[2]

    def page(self, after: int, limit: int) -> list[QueuedTurn]:
        """The oldest turns after a key, at most `limit`; damaged ones are left out."""
        with explained(self._path):
            rows = self._reader.execute(_BEHIND, (after, limit)).fetchall()
        turns = [turn for row in rows if (turn := intact(row)) is not None]
        keys = [after, *(turn.key for turn in turns)]
        if keys != sorted(set(keys)) or (rows and not turns):
            raise StoreDamagedError(f"outbox {self._path}: its turns are out of order or unreadable")
        return turns

    def write(self, turns: Sequence[QueuedTurn], done_upto: int) -> None:
        """Add turns and delete all up to a key in one transaction; on disk when this returns."""
        upto, rows = self._last_upto, []
        for turn in turns:
            upto += len(turn.payload)
            rows.append((turn.key, turn.at, upto, checksum(turn, upto), turn.payload))
        with explained(self._path):
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                self._writer.executemany(_INSERT, rows)
                self._writer.execute("DELETE FROM turns WHERE key <= ?", (done_upto,))
                self._writer.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    self._writer.execute("ROLLBACK")
                raise
        self._last_upto = upto

    def count_turns(self) -> int:
        """How many turns there are; reads them all."""
        with explained(self._path):
            return int(self._reader.execute("SELECT count(*) FROM turns").fetchone()[0])

    def shrink(self) -> None:
        """Return the space of deleted turns to the file system."""
        with explained(self._path):
            # `executescript` runs the pragma to its end; `execute` would stop after its first step.
            self._writer.executescript("PRAGMA incremental_vacuum")
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close the file and release its lock."""
        for connection in reversed(self._connections):
            with suppress(sqlite3.Error):
                connection.close()
        if self._lock_file is not None:
            self._lock_file.close()


def checksum(turn: QueuedTurn, upto: int) -> int:
    """The checksum that reveals a damaged row: SQLite itself does not check values."""
    return zlib.crc32(turn.payload, zlib.crc32(f"{turn.key} {turn.at!r} {upto} ".encode()))


def intact(row: Sequence[Any]) -> QueuedTurn | None:
    """The turn in a row of the table; None if it is damaged."""
    key, at, upto, crc, payload = row
    if not (isinstance(key, int) and isinstance(at, float) and isinstance(payload, bytes)):
        return None
    turn = QueuedTurn(key, at, payload)
    return turn if isinstance(upto, int) and crc == checksum(turn, upto) else None


def all_intact(path: Path) -> Iterable[QueuedTurn]:
    """Turns that can be read from a damaged file, in order: from both of its ends up to the damage."""
    turns: dict[int, QueuedTurn] = {}
    for query in (_OLDEST_FIRST, _NEWEST_FIRST):
        with suppress(sqlite3.Error):
            connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_S)
            try:
                connection.text_factory = bytes
                for row in connection.execute(query):
                    turn = intact(row)
                    if turn is not None:
                        turns[turn.key] = turn
            finally:
                connection.close()
    return [turns[key] for key in sorted(turns)]


def _lock(path: Path) -> IO[bytes]:
    """Lock the file for this process alone; the kernel releases the lock even if the process is killed."""
    lock = Path(f"{path}.lock").open("wb")  # noqa: SIM115  # open as long as the store is
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise StoreUnavailableError(
            f"outbox {path}: another affectd uses it; give each its own device name, or its own outbox path"
        ) from None
    return lock


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn errors of SQLite and the system into errors that say what to do.

    Raises:
        StoreUnavailableError: when the disk is at fault.
        StoreDamagedError: when the file is at fault.
    """
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_FULL:
            raise StoreUnavailableError(f"outbox {path}: the disk is full; free some space") from error
        if code == sqlite3.SQLITE_READONLY:
            raise StoreUnavailableError(
                f"outbox {path}: the file or its disk is read-only; mount it writable, or choose another path"
            ) from error
        if code in _OF_THE_DISK:
            raise StoreUnavailableError(
                f"outbox {path}: {error}; check that the disk is there and writable for this user"
            ) from error
        raise StoreDamagedError(f"outbox {path}: the file is damaged ({error})") from error
    except OSError as error:
        raise StoreUnavailableError(
            f"outbox {path}: {error.strerror}; check that the path is writable for this user"
        ) from error
