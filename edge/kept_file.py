"""Small files in the state folder, replaced as a whole."""

from __future__ import annotations

import os
from pathlib import Path


def write_kept(file: Path, content: bytes) -> None:
    """Put this in place of what the file held, readable by this user alone; its folder is made.

    A power cut leaves the old file or the new one, never half of either. What root writes for the service
    belongs to the service, as its folder does.

    Raises:
        OSError: when it cannot be written; the old file is as it was.
    """
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = file.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
    owner = file.parent.stat()
    if os.geteuid() == 0 and owner.st_uid != 0:
        os.chown(fresh, owner.st_uid, owner.st_gid)
    fresh.replace(file)
