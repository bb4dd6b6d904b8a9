"""Installs a model for the running daemon in a child process, which keeps libraries and crashes out of it.

`python -m edge.update.updater` is that child; it reads its order from standard input.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import msgspec

from edge.errors import AffectdError
from edge.inference.model import ModelSettings
from edge.update.errors import UpdateError
from edge.update.install import Taken, install
from edge.update.store import ModelStore

_LOG = logging.getLogger(__name__)


class _Order(msgspec.Struct, frozen=True, kw_only=True):
    """What the child is to do."""

    place: str
    sha256: str | None
    settings: ModelSettings
    folder: str


class _Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The result of an order."""

    taken: Taken | None = None
    refused: str = ""


class Updater:
    """At most one installation at a time, each in a thread that waits for its child.

    Args:
        store: receives the models.
        adopt: makes the daemon switch to the model that is now in force; called in that thread.
    """

    def __init__(self, store: ModelStore, adopt: Callable[[], None]) -> None:
        self._store = store
        self._adopt = adopt
        self._lock = threading.Lock()
        self._busy = False
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, place: str, sha256: str | None, settings: ModelSettings) -> Future[dict[str, Any]]:
        """Begin to install a model; the answer comes when it is in force, or refused.

        Raises:
            UpdateError: when an installation is under way.
        """
        with self._lock:
            if self._busy:
                raise UpdateError("another update is under way; wait for its answer")
            self._busy = True
        future: Future[dict[str, Any]] = Future()
        order = _Order(place=place, sha256=sha256, settings=settings, folder=str(self._store.folder))
        threading.Thread(target=self._work, args=(order, future), name="update", daemon=True).start()
        return future

    def stop(self) -> None:
        """End an installation that is under way; what is in force stays."""
        process = self._process
        if process is not None and process.poll() is None:
            process.terminate()

    def _work(self, order: _Order, future: Future[dict[str, Any]]) -> None:
        try:
            answer = self._install(order)
        except Exception as error:  # noqa: BLE001
            # Raised again where the future's result is read, and reported in the command's answer.
            self._busy = False
            future.set_exception(error)
        else:
            self._busy = False
            future.set_result(answer)

    def _install(self, order: _Order) -> dict[str, Any]:
        command = [sys.executable, "-m", "edge.update.updater"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        said, _ = self._process.communicate(msgspec.json.encode(order))
        try:
            outcome = msgspec.json.decode(said, type=_Outcome)
        except msgspec.MsgspecError:
            raise UpdateError(
                f"the update ended without a result (exit code {self._process.returncode}); see the log of "
                "the device"
            ) from None
        if outcome.taken is None:
            raise UpdateError(outcome.refused)
        self._adopt()
        model = outcome.taken.model
        _LOG.warning("model %s %s, signed by %s, is in force", model.name, model.version, model.signed_by)
        return {
            "name": model.name,
            "version": model.version,
            "sha256": model.sha256,
            "signed_by": model.signed_by,
            "window_ms": round(outcome.taken.self_test.window_ms, 3),
        }


def main() -> int:
    """Carry out the order on standard input, and print the outcome as JSON."""
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=_Order)
    try:
        taken = install(order.place, order.settings, ModelStore(Path(order.folder)), sha256=order.sha256)
        outcome = _Outcome(taken=taken)
    except AffectdError as error:
        outcome = _Outcome(refused=str(error))
    sys.stdout.buffer.write(msgspec.json.encode(outcome))
    return 0


if __name__ == "__main__":
    sys.exit(main())
