"""A file in the state folder, which belongs to the service's user, and which root writes as well."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import nullcontext
from pathlib import Path

import pytest

from edge.kept_file import remove_kept, sync_folder, write_kept
from edge.mute import MuteMemory
from edge.voice.file import VoiceFile

SERVICE_UID = 12_345


@pytest.fixture
def on_disk(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The names in a folder, each time that it was synced: what a power cut leaves."""
    synced: list[list[str]] = []
    sync = os.fsync

    def note(descriptor: int) -> None:
        sync(descriptor)
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            synced.append(sorted(os.listdir(descriptor)))

    monkeypatch.setattr(os, "fsync", note)
    return synced


def test_kept_file_when_written_and_removed_then_the_disk_has_it_before_it_returns(
    tmp_path: Path, on_disk: list[list[str]]
) -> None:
    write_kept(tmp_path / "voice.json", b"new")
    assert on_disk == [["voice.json"]]
    assert remove_kept(tmp_path / "voice.json")
    assert not remove_kept(tmp_path / "voice.json")
    assert on_disk == [["voice.json"], []]


def test_mute_memory_when_remembered_then_the_disk_has_it_before_it_returns(
    tmp_path: Path, on_disk: list[list[str]]
) -> None:
    memory = MuteMemory(tmp_path, "kitchen")
    assert memory.remember(True)
    assert memory.remember(False)
    assert on_disk == [["muted-kitchen"], []]


def test_voice_file_when_forgotten_then_no_power_cut_brings_it_back(
    tmp_path: Path, on_disk: list[list[str]]
) -> None:
    voice = VoiceFile(tmp_path, "kitchen")
    voice.path.write_bytes(b"{}")
    voice.path.with_suffix(".new").write_bytes(b"half of it")
    assert voice.forget()
    assert on_disk[-1] == []


@pytest.mark.parametrize(("code", "is_raised"), [(errno.EINVAL, False), (errno.EIO, True)])
def test_sync_folder_when_the_file_system_refuses_then_goes_on_and_when_the_disk_fails_then_raises(
    code: int, is_raised: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match=os.strerror(code)) if is_raised else nullcontext():
        sync_folder(tmp_path)


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
