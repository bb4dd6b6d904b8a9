"""Where affectd keeps its state across restarts: in the service's folder, or in the user's own."""

from __future__ import annotations

import os
from pathlib import Path

SERVICE_FOLDER = Path("/var/lib/affectd")
"""State folder of the service, as set up by firmware_configs/install.sh and the systemd unit"""


def state_folder() -> Path:
    """The folder for state that survives restarts: systemd's state directory, else one of the user's own."""
    given = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    if given:
        return Path(given)
    home = os.environ.get("XDG_STATE_HOME")
    return (Path(home) if home else Path("~/.local/state").expanduser()) / "affectd"


def mean_the_service() -> bool:
    """Make `state_folder` the service's folder, for this process and its children, if a service is installed.

    For commands that inspect or change a device: run by root or by the service's user, they apply to the
    service. systemd passes the folder to the service only, so these commands have to set it themselves.

    Returns:
        False if a service is installed but another user runs this; `state_folder` stays that user's own.
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
