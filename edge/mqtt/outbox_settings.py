"""Settings of the outbox: where turns wait for the broker, how many, and how long."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import msgspec

from edge.mqtt.errors import MqttSettingsError
from edge.state_folder import state_folder


class Storage(StrEnum):
    """Where queued turns are kept."""

    DISK = "disk"
    """In a SQLite file, which survives the end of the process and a power cut"""

    MEMORY = "memory"
    """In memory only; queued turns are lost when the process ends"""


class OutboxSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where turns wait for the broker, and the limits beyond which the oldest are dropped.

    Raises:
        MqttSettingsError: at construction, when a value is invalid; the message names the field.
    """

    storage: Storage = Storage.DISK

    path: str | None = None
    """Path of the SQLite file. Default: outbox-<device>.sqlite3 in `state_folder()`"""

    commit_s: float = 5.0
    """Seconds for which turns are collected and then written together, which spares an SD card. This is the
    loss window: a kill or a power cut loses the turns of the last `commit_s` seconds, and those of a commit
    that it interrupts, unless the broker has acknowledged them. A turn that the broker acknowledges within
    this time is never written at all"""

    fsync: bool = False
    """Write every turn at once, and send it to the broker only when it is safely on disk: loses nothing"""

    max_turns: int = 100_000
    """Turns kept while the broker is away; beyond that, the oldest are dropped and counted"""

    max_bytes: int = 67_108_864
    """Bytes of JSON kept while the broker is away; beyond that, the oldest turns are dropped and counted"""

    max_age_s: float = 2_592_000.0
    """Seconds after which a turn is too old to be delivered; it is then dropped and counted"""

    def __post_init__(self) -> None:
        rules = (
            (self.path != "", "path is empty; leave it out for the default"),
            (self.path is None or self.storage is Storage.DISK,
             'path is set and storage is "memory"; set storage = "disk", or leave path out'),
            (not self.fsync or self.storage is Storage.DISK,
             'fsync is set and storage is "memory"; set storage = "disk", or fsync = false'),
            (0.05 <= self.commit_s <= 3600.0,
             f"commit_s is {self.commit_s}; it must be 0.05 to 3600 seconds"),
            (self.max_turns >= 1, f"max_turns is {self.max_turns}; it must be >= 1"),
            (self.max_bytes >= 65_536, f"max_bytes is {self.max_bytes}; it must be >= 65536"),
            (self.max_age_s >= 1.0, f"max_age_s is {self.max_age_s}; it must be >= 1 second"),
        )  # fmt: skip
        for holds, message in rules:
            if not holds:
                raise MqttSettingsError(message)

    def file(self, device: str) -> Path:
        """Path of the outbox file of a device."""
        if self.path is not None:
            return Path(self.path).expanduser()
        return state_folder() / f"outbox-{device}.sqlite3"
