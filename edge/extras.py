"""How to add to this installation what only some need: the extras of setup.py."""

from __future__ import annotations

import shlex
import sys

_SERVICE = "/opt/affectd"
"""The virtual environment of firmware_configs/install.sh"""


def how_to_add(extra: str) -> str:
    """What to do to add an extra, such as `web`: a part of a sentence."""
    if sys.prefix == _SERVICE:
        # PyAudio is what the installer installs anyway, with the packages that building it needs.
        option = "" if extra == "mic" else f" --extra {extra}"
        command = f"sudo firmware_configs/install.sh{option}"
    else:
        # Debian's own Python refuses to install; that of a virtual environment does not.
        command = f"{shlex.quote(sys.executable)} -m pip install '.[{extra}]'"
    return f"run `{command}` in affectd's checkout"
