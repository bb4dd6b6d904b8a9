"""The models installed on this device, newest last, with the shipped one below them all.

One JSON file lists them. It is replaced atomically, so a power cut leaves the old or the new one.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from edge.kept_file import create_anew, give_to_owner, sync_folder
from edge.update.errors import UpdateError

_STATE = "installed.json"
_KEPT = 3
"""Installed models that are kept, in addition to the shipped one"""


class Installed(msgspec.Struct, frozen=True, kw_only=True):
    """One installed model."""

    file: str
    """Name in the folder"""

    name: str
    version: str
    sha256: str
    """Of the whole file, in hex"""

    signed_by: str
    """File name of the key"""

    at: str
    """Time of the installation, UTC in ISO 8601"""


class StoreState(msgspec.Struct, frozen=True, kw_only=True):
    """The content of `installed.json`."""

    models: tuple[Installed, ...] = ()
    """In the order in which they were installed; the last one is in force"""

    pinned: bool = False
    """Whether the model in force is protected from updates"""

    on_trial: bool = False
    """Whether the last one has yet to prove itself in the running daemon"""

    starts: int = 0
    """How often the daemon has begun to load it without finishing"""

    given_up: str | None = None
    """Why the model that was installed last is no longer in force"""


class ModelStore:
    """The folder of installed models. Several processes may use it: every change takes a lock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self) -> StoreState:
        """The installed models and their state.

        Raises:
            UpdateError: when the folder's list cannot be read.
        """
        path = self.folder / _STATE
        try:
            return msgspec.json.decode(path.read_bytes(), type=StoreState)
        except (FileNotFoundError, NotADirectoryError):
            return StoreState()
        except OSError as error:
            raise UpdateError(f"{path}: cannot be read: {error.strerror}") from error
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise UpdateError(
                f"{path}: is damaged ({error}); remove it to go on with the shipped model"
            ) from error

    def path_of(self, model: Installed) -> Path:
        """The path of a model."""
        return self.folder / model.file

    def add(self, content: bytes, *, name: str, version: str, sha256: str, signed_by: str) -> Installed:
        """Store a model and put it in force, on trial.

        Raises:
            UpdateError: when it cannot be written.
        """
        with self._changing() as state:
            added = Installed(
                file=f"{version}-{sha256[:12]}.tflite",
                name=name,
                version=version,
                sha256=sha256,
                signed_by=signed_by,
                at=datetime.now(UTC).isoformat(timespec="seconds"),
            )
            self._write(added.file, content)
            others = [model for model in state.models if model.file != added.file]
            self._save(
                msgspec.structs.replace(
                    state, models=(*others, added)[-_KEPT:], on_trial=True, starts=0, given_up=None
                )
            )
        return added

    def go_back(self, why: str | None = None) -> StoreState:
        """Replace the model in force by the previous one.

        Args:
            why: what was wrong with it, or None.

        Raises:
            UpdateError: when there is no previous one, or the list cannot be written.
        """
        with self._changing() as state:
            if not state.models:
                raise UpdateError("nothing to go back to: the shipped model is in force")
            if state.pinned and why is None:
                raise UpdateError("the model in force is pinned; `affectd model unpin` first")
            # The pin is dropped together with a failed model, so that an update can replace that.
            after = StoreState(models=state.models[:-1], given_up=why)
            self._save(after)
        return after

    def pin(self, pinned: bool) -> StoreState:
        """Protect the model in force from updates, or allow them again.

        Raises:
            UpdateError: when the list cannot be written.
        """
        with self._changing() as state:
            after = msgspec.structs.replace(state, pinned=pinned)
            self._save(after)
        return after

    def note_start(self) -> int:
        """Note that the model on trial is about to be loaded; returns how many earlier starts failed.

        Raises:
            UpdateError: when the list cannot be written.
        """
        with self._changing() as state:
            self._save(msgspec.structs.replace(state, starts=state.starts + 1))
        return state.starts

    def note(self, *, on_trial: bool) -> None:
        """Note that the model in force has been loaded, and whether it is still on trial.

        Raises:
            UpdateError: when the list cannot be written.
        """
        with self._changing() as state:
            self._save(msgspec.structs.replace(state, on_trial=on_trial, starts=0))

    @contextmanager
    def _changing(self) -> Iterator[StoreState]:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._give_folder_to_owner()
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
            with os.fdopen(os.open(self.folder / ".lock", flags, 0o666), "ab") as lock:
                give_to_owner(lock.fileno(), self.folder.parent)
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield self.read()
        except OSError as error:
            raise UpdateError(
                f"{self.folder}: cannot be written: {error.strerror}; run this as the user of the daemon, "
                "or as root"
            ) from error

    def _save(self, state: StoreState) -> None:
        self._write(_STATE, msgspec.json.format(msgspec.json.encode(state), indent=1))
        kept = {model.file for model in state.models}
        for path in self.folder.glob("*.tflite"):
            if path.name not in kept:
                path.unlink(missing_ok=True)

    def _write(self, name: str, content: bytes) -> None:
        partial = self.folder / f"{name}.partial"
        with create_anew(partial, 0o666) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            give_to_owner(file.fileno(), self.folder.parent)
        partial.replace(self.folder / name)
        sync_folder(self.folder)

    def _give_folder_to_owner(self) -> None:
        """Give the folder to the daemon's user, who must be able to change what root has written."""
        owner = self.folder.parent.stat()
        if os.geteuid() == 0 and owner.st_uid != self.folder.lstat().st_uid:
            # The service's user may have put a link in the folder's place, to something of another user.
            os.chown(self.folder, owner.st_uid, owner.st_gid, follow_symlinks=False)
