"""Rescues a damaged outbox file: keeps it aside and copies its intact turns into a new one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from edge.mqtt.outbox import QueuedTurn
from edge.mqtt.turn_store import TurnStore, all_intact, explained

_LOG = logging.getLogger(__name__)

_KEPT = 3
"""Damaged files to keep; a disk that damages more of them must not be filled up by them"""


def renew(path: Path, wanted: Callable[[QueuedTurn], bool] = lambda _turn: True) -> TurnStore:
    """Put a damaged file aside and make a new one with its intact turns.

    Args:
        path: the outbox file, which must not be open.
        wanted: whether a turn still has to be delivered.

    Raises:
        StoreUnavailableError, StoreDamagedError: when no new file can be made.
    """
    with explained(path):
        aside = _put_aside(path)
        turns = [turn for turn in all_intact(aside) if wanted(turn)]
    store = TurnStore(path)
    try:
        store.write(turns, done_upto=-1)
    finally:
        store.close()
    _LOG.warning(
        "outbox %s: the file is damaged; it is kept as %s, and %d turns were recovered from it",
        path,
        aside,
        len(turns),
    )
    return TurnStore(path)


def _put_aside(path: Path) -> Path:
    for old in sorted(path.parent.glob(f"{path.name}.bad-*[0-9Z]"))[: 1 - _KEPT or None]:
        for part in (old, Path(f"{old}-wal"), Path(f"{old}-shm")):
            part.unlink(missing_ok=True)
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    aside = path.with_name(f"{path.name}.bad-{moment}")
    path.rename(aside)
    log = Path(f"{path}-wal")
    if log.exists():
        log.rename(f"{aside}-wal")
    Path(f"{path}-shm").unlink(missing_ok=True)
    return aside
