"""The systemd units, judged by systemd's own tools where they are installed."""

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "firmware_configs" / "systemd"
UNIT = FOLDER / "affectd.service"
UNITS = [UNIT, FOLDER / "affectd-web.service"]
PROGRAM = "/opt/affectd/bin/affectd"
MAX_EXPOSURE = 20
"""In tenths, of 100: `systemd-analyze security` calls anything up to here well protected"""

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)


@pytest.fixture(params=UNITS, ids=lambda unit: unit.stem)
def installed(request, tmp_path) -> Path:
    """The unit as on a device: its program is there."""
    copy = tmp_path / request.param.name
    text = request.param.read_text(encoding="utf-8")
    assert f"ExecStart={PROGRAM} " in text
    copy.write_text(text.replace(PROGRAM, "/bin/true"), encoding="utf-8")
    return copy


def service(unit: Path = UNIT) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read(unit, encoding="utf-8")
    return parser["Service"]


@needs_systemd
def test_unit_when_verified_then_systemd_finds_nothing(installed):
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", installed], capture_output=True, text=True, check=False
    )
    # Units of the machine at hand are read along; only what is said of this one counts.
    assert "affectd" not in done.stdout + done.stderr
    assert done.returncode == 0, done.stderr


@needs_systemd
def test_unit_when_its_hardening_is_rated_then_exposure_is_low(installed):
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", f"--threshold={MAX_EXPOSURE}", installed],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-300:] + done.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_unit_when_the_program_fails_then_it_restarts_save_for_mistakes_of_the_user(unit):
    settings = service(unit)
    assert settings["Restart"] == "always"
    assert settings["RestartPreventExitStatus"].split() == ["64", "78"]
    assert "StartLimitIntervalSec=0\n" in unit.read_text(encoding="utf-8")


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_unit_when_read_then_no_password_is_in_it(unit):
    assert "PASSWORD" not in unit.read_text(encoding="utf-8")


def test_web_unit_when_it_runs_then_as_the_daemons_user_without_its_microphone():
    settings = service(FOLDER / "affectd-web.service")
    assert settings["User"] == service()["User"]
    assert settings["PrivateDevices"] == "yes"
    assert "SupplementaryGroups" not in settings


def test_unit_when_the_program_hangs_then_systemd_notices():
    settings = service()
    assert settings["Type"] == "notify"
    assert int(settings["WatchdogSec"]) <= 60


@needs_systemd
def test_mount_unit_when_verified_then_systemd_finds_nothing(tmp_path):
    mount = UNIT.with_name("var-lib-affectd.mount")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", mount], capture_output=True, text=True, check=False
    )
    assert "var-lib-affectd" not in done.stdout + done.stderr
    assert done.returncode == 0, done.stderr


def test_journal_limits_when_journald_is_asked_then_it_knows_every_key():
    daemon = Path("/lib/systemd/systemd-journald")
    if not daemon.is_file():
        pytest.skip("systemd-journald is not installed")
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str
    parser.read(UNIT.with_name("journald.conf"), encoding="utf-8")
    # The daemon has no switch that checks a file; the names that it understands stand in its table.
    table = daemon.read_bytes()
    assert parser.sections() == ["Journal"]
    assert [key for key in parser["Journal"] if f"\0Journal.{key}".encode() not in table] == []
