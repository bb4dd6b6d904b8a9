"""Worker processes that end with the process that started them, for whatever reason that one ends."""

from __future__ import annotations

import multiprocessing
import os
import threading


def end_with_parent() -> None:
    """End this process when its parent ends; the initializer of every pool.

    A killed command must not leave processes behind: they would continue to train in folders of other runs,
    or wait for work forever.
    """
    threading.Thread(target=_outlive_nobody, name="end with parent", daemon=True).start()


def _outlive_nobody() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
