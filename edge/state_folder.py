"""Where affectd keeps what is to outlive it: the service's folder, or the user's own."""

from __future__ import annotations

import os
from pathlib import Path

SERVICE_FOLDER = Path("/var/lib/affectd")
"""State of the service, as firmware_configs/install.sh and the unit have it"""


def state_folder() -> Path:
    """Where affectd keeps what is to outlive it: systemd's state directory, else one of the user's own."""
    given = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    if given:
        return Path(given)
    home = os.environ.get("XDG_STATE_HOME")
    return (Path(home) if home else Path("~/.local/state").expanduser()) / "affectd"


def mean_the_service() -> bool:
    """Have `state_folder` be that of the service, for this process and its children, where one is installed.

    For commands that look at a device or change it: root and the service's own user mean the service, which
    alone is told its folder by systemd.

    Returns:
        False where there is a service, and this user is another, whose own folder it stays.
    """
    if os.environ.get("STATE_DIRECTORY") or os.environ.get("XDG_STATE_HOME"):
        return True
    try:
        owner = SERVICE_FOLDER.stat().st_uid
    except OSError:
        return True
    if os.geteuid() not in {0, owner}:
        return False
    os.environ["STATE_DIRECTORY"] = str(SERVICE_FOLDER)
    return True
