"""What to do about an extra that is missing, on a developer's machine and where install.sh has been."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import edge
from edge.extras import how_to_add

INSTALLER = Path(edge.__file__).parents[1] / "firmware_configs" / "install.sh"


def test_how_to_add_when_in_a_virtual_environment_then_its_own_pip_is_named():
    command = re.fullmatch(r"run `(.+) '\.\[web\]'` in affectd's checkout", how_to_add("web"))
    assert command is not None
    pip = shlex.split(command[1])[:-1]
    assert subprocess.run([*pip, "--version"], capture_output=True, check=False).returncode == 0
    assert pip[0] == sys.executable


@pytest.mark.parametrize(("extra", "options"), [("update", " --extra update"), ("mic", "")])
def test_how_to_add_when_install_sh_has_been_here_then_it_is_named(monkeypatch, extra, options):
    installer = INSTALLER.read_text(encoding="utf-8")
    prefix = re.search(r"readonly prefix=(\S+)", installer)
    assert prefix is not None
    monkeypatch.setattr(sys, "prefix", prefix[1])
    assert how_to_add(extra) == f"run `sudo firmware_configs/install.sh{options}` in affectd's checkout"
    assert "--extra NAME" in installer
