"""Keeps the caller out of drivers: from a call into one that hangs, only another thread can walk away."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

from edge.audio.errors import DeviceHungError
from edge.quiet_stderr import give_stderr_back

_Result = TypeVar("_Result")

OPEN_S = 15.0
"""Seconds that a driver may take to open the device; against one that hangs, only a new process helps"""

_LOOK_S = 0.1
_CANCEL_S = 1.0
"""Seconds that interrupted work has to let go of the device"""


def unless_hung(
    work: Callable[[], _Result],
    opening_s: Callable[[], float],
    *,
    limit_s: float = OPEN_S,
    cancel: Callable[[], None] = lambda: None,
) -> _Result:
    """The result of work that opens a device, done in a thread of its own.

    If the driver hangs, that thread is left behind; it does not keep the process from ending.

    Args:
        work: what to do; what it raises is raised here.
        opening_s: seconds for which the work has been opening the device; 0 if it is not.
        limit_s: seconds from which an opening counts as hung.
        cancel: ends the work early; called when Ctrl-C interrupts the wait for it.

    Raises:
        DeviceHungError: the driver hangs.
    """
    outcome: Future[_Result] = Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except Exception as error:  # noqa: BLE001
            outcome.set_exception(error)

    try:
        threading.Thread(target=run, daemon=True, name="device").start()
        while not wait([outcome], _LOOK_S).done:
            if opening_s() > limit_s:
                # The library that hangs would otherwise swallow what is printed from here on.
                give_stderr_back()
                raise DeviceHungError(
                    f"the driver has been opening the microphone for {limit_s:g} s, and hangs; unplug the "
                    "microphone and plug it in again, or restart the board"
                )
    except KeyboardInterrupt:
        cancel()
        wait([outcome], _CANCEL_S)
        raise
    return outcome.result()
