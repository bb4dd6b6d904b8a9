"""Where affectd keeps its state: with the service for root and its own user, else with the user."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from support.programs import AFFECTD, environment

from edge import state_folder as where
from edge.state_folder import mean_the_service, state_folder

SERVICE_UID = 12_345


@pytest.fixture
def service(tmp_path, monkeypatch) -> Path:
    """An installed service's state folder; nobody has named another."""
    folder = tmp_path / "service"
    folder.mkdir()
    monkeypatch.setattr(where, "SERVICE_FOLDER", folder)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("STATE_DIRECTORY", "")  # undone at the end, whatever the code under test sets
    return folder


def test_state_when_systemd_names_folders_then_the_first_counts_before_the_users_own(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert state_folder() == tmp_path / "affectd"
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/affectd:/var/lib/other")
    assert state_folder() == Path("/var/lib/affectd")


def test_state_when_nothing_is_said_then_it_is_in_the_home_folder(monkeypatch):
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "/home/pi")
    assert state_folder() == Path("/home/pi/.local/state/affectd")


@pytest.mark.parametrize("uid", ["root", "owner"])
def test_state_when_the_service_is_meant_by_one_who_may_then_it_is_the_services(service, monkeypatch, uid):
    monkeypatch.setattr(os, "geteuid", lambda: 0 if uid == "root" else service.stat().st_uid)
    assert mean_the_service()
    assert state_folder() == service


def test_state_when_another_user_looks_then_it_stays_that_users(service, monkeypatch, tmp_path):
    monkeypatch.setattr(os, "geteuid", lambda: SERVICE_UID)
    assert not mean_the_service()
    assert state_folder() == tmp_path / "home" / ".local" / "state" / "affectd"


def test_state_when_a_folder_is_named_then_that_one_counts(service, monkeypatch, tmp_path):
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "named"))
    assert mean_the_service()
    assert state_folder() == tmp_path / "named"


def test_model_when_root_changes_it_then_the_service_sees_it_and_owns_the_files():
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("only root can have a /var/lib of its own, with unshare")
    # A /var/lib that only these commands see, with the state folder of a service in it.
    script = f"""
        mount -t tmpfs none /var/lib || exit 77
        install -d -o {SERVICE_UID} -g {SERVICE_UID} /var/lib/affectd || exit 78
        "$@" model pin --no-config && "$@" model list --no-config && stat -c %u /var/lib/affectd/models/*"""
    env = environment()
    del env["XDG_STATE_HOME"]
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, "sh", *AFFECTD],
        env=env, text=True, capture_output=True, check=False,
    )  # fmt: skip
    if "unshare:" in done.stderr or done.returncode == 77:
        pytest.skip(f"this root may not mount: {done.stderr}")
    assert done.returncode == 0, done.stderr
    assert "pinned: no update replaces it" in done.stdout
    assert done.stdout.split()[-1] == str(SERVICE_UID)
