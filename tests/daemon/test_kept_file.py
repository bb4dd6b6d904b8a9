"""A file in the state folder, which belongs to the service's user, and which root writes as well."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from edge.kept_file import write_kept

SERVICE_UID = 12_345


def test_kept_file_when_written_again_then_holds_the_new_for_this_user_alone(tmp_path: Path) -> None:
    file = tmp_path / "state" / "voice.json"
    for content in (b"old and longer", b"new"):
        write_kept(file, content)
    assert file.read_bytes() == b"new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["voice.json"]


def test_kept_file_when_a_link_lies_where_it_is_begun_then_that_is_not_followed(tmp_path: Path) -> None:
    target, folder = tmp_path / "shadow", tmp_path / "state"
    target.write_bytes(b"secret")
    folder.mkdir()
    (folder / "voice.new").symlink_to(target)
    if os.geteuid() == 0:
        os.chown(folder, SERVICE_UID, SERVICE_UID)
    before = target.stat()

    write_kept(folder / "voice.json", b"new")

    assert target.read_bytes() == b"secret"
    assert (target.stat().st_uid, target.stat().st_mode) == (before.st_uid, before.st_mode)
    assert not (folder / "voice.json").is_symlink()
    assert (folder / "voice.json").read_bytes() == b"new"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_kept_file_when_root_replaces_one_then_the_folders_owner_owns_it(tmp_path: Path) -> None:
    os.chown(tmp_path, SERVICE_UID, SERVICE_UID + 1)
    (tmp_path / "voice.new").write_bytes(b"half of it")
    write_kept(tmp_path / "voice.json", b"new")
    assert (tmp_path / "voice.json").stat().st_uid == SERVICE_UID
    assert (tmp_path / "voice.json").stat().st_gid == SERVICE_UID + 1
