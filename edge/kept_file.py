"""Small files in the state folder, replaced atomically and removed for good: a power cut undoes neither.

Root writes there as well, and the service's user can put symbolic links into that folder: none is followed.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import IO


def write_kept(file: Path, content: bytes) -> None:
    """Replace the content of a file, readable by its owner only; the folder is created if needed.

    A power cut leaves the old file or the new one, never half of either. A file that root writes into the
    service's folder is given to the owner of that folder.

    Raises:
        OSError: when it cannot be written; the old file is unchanged then.
    """
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = file.with_suffix(".new")
    with create_anew(fresh, 0o600) as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
        give_to_owner(opened.fileno(), file.parent)
    fresh.replace(file)
    sync_folder(file.parent)


def remove_kept(file: Path) -> bool:
    """Remove a file, so that a power cut does not bring it back; returns whether there was one.

    Raises:
        OSError: when it cannot be removed, or the disk fails.
    """
    try:
        file.unlink()
    except FileNotFoundError:
        return False
    sync_folder(file.parent)
    return True


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names in a folder: syncing a file does not include its name.

    Raises:
        OSError: when the folder cannot be opened, or the disk fails.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems do not sync folders, and say so in this way: there is nothing more to do.
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(descriptor)


def create_anew(path: Path, mode: int) -> IO[bytes]:
    """Create a new file for writing; a leftover file or a link of that name is removed first.

    Args:
        path: of the file.
        mode: its permissions, before the umask is applied.

    Raises:
        OSError: when it cannot be created, or something else creates it at the same moment.
    """
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode), "wb")


def give_to_owner(descriptor: int, folder: Path) -> None:
    """Give an open file to the owner of a folder, if this process runs as root.

    Raises:
        OSError: when the folder's owner cannot be read, or the file's owner cannot be changed.
    """
    owner = folder.stat()
    # By descriptor: given a path, root could be tricked by the folder's owner into giving away another file.
    if os.geteuid() == 0 and owner.st_uid != os.fstat(descriptor).st_uid:
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
