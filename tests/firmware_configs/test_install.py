"""The installer: what it says where it may not or need not do anything. `make test-arm64` lets it install."""

import os
import re
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "firmware_configs"
INSTALL = FOLDER / "install.sh"
INSTALLED = Path("/opt/affectd").exists()


def run(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([INSTALL, *options], capture_output=True, text=True, timeout=60, check=False)


def test_install_when_asked_for_help_then_every_option_that_it_takes_is_there():
    done = run("--help")
    taken = set(
        re.findall(r"--[a-z-]+", INSTALL.read_text(encoding="utf-8").split("case $1 in")[1].split("esac")[0])
    )
    taken |= {"--no-microphone", "--no-start", "--check", "--uninstall", "--purge", "--help"}
    assert done.returncode == 0
    assert taken <= set(re.findall(r"--[a-z-]+", done.stdout))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--bord", "pi4"], "unknown option --bord"),
        (["--board"], "--board needs a value"),
        (["--purge"], "--purge is only for --uninstall"),
    ],
)
def test_install_when_called_wrongly_then_it_ends_with_64_and_says_why(options, words):
    done = run(*options)
    assert done.returncode == 64
    assert words in done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may install")
@pytest.mark.parametrize("options", [[], ["--uninstall"]])
def test_install_when_it_is_not_root_then_it_ends_with_77(options):
    assert run(*options).returncode == 77


@pytest.mark.skipif(INSTALLED, reason="affectd is installed here")
def test_check_when_nothing_is_installed_then_it_lists_all_as_missing_and_ends_with_1():
    done = run("--check")
    assert done.returncode == 1
    assert "missing  program: /opt/affectd" in done.stdout
    assert "missing  user: affectd" in done.stdout
    assert done.stderr == ""


def test_boards_when_the_installer_detects_one_then_its_file_is_there():
    detected = set(re.findall(r"\) say ([a-z]\w+) ;;", INSTALL.read_text(encoding="utf-8")))
    assert {"pi4", "pi_32bit", "x86"} <= detected
    assert detected == {path.stem for path in (FOLDER / "boards").glob("*.toml")}
