"""Small files in the state folder, replaced as a whole.

root writes there as well, in a folder that the service's user may fill with links: none may be followed.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO


def write_kept(file: Path, content: bytes) -> None:
    """Put this in place of what the file held, readable by this user alone; its folder is made.

    A power cut leaves the old file or the new one, never half of either. What root writes for the service
    belongs to the service, as its folder does.

    Raises:
        OSError: when it cannot be written; the old file is as it was.
    """
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = file.with_suffix(".new")
    with create_anew(fresh, 0o600) as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
        give_to_owner(opened.fileno(), file.parent)
    fresh.replace(file)


def create_anew(path: Path, mode: int) -> IO[bytes]:
    """A file for writing that was not there before; a leftover or a link of its name is removed.

    Args:
        path: of the file.
        mode: its permissions, less the umask.

    Raises:
        OSError: when it cannot be made, or somebody makes another at the same moment.
    """
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode), "wb")


def give_to_owner(descriptor: int, folder: Path) -> None:
    """Have an open file belong to the owner of a folder, where this is root.

    Raises:
        OSError: when the folder cannot be looked at, or the file not given away.
    """
    owner = folder.stat()
    # By its descriptor: by its name, the owner of the folder could have root give away another file.
    if os.geteuid() == 0 and owner.st_uid != os.fstat(descriptor).st_uid:
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
