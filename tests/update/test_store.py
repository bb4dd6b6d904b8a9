"""The folder of installed models, which belongs to the service's user, and which root changes as well."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edge.update.errors import UpdateError
from edge.update.store import Installed, ModelStore

SERVICE_UID = 12_345
SHA256 = "0123456789abcdef" * 4
MODEL = "1.0.0-0123456789ab.tflite"

by_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")


def add(store: ModelStore) -> Installed:
    return store.add(b"model", name="first", version="1.0.0", sha256=SHA256, signed_by="maker.pem")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A file that is none of the service's business."""
    path = tmp_path / "shadow"
    path.write_bytes(b"secret")
    return path


@pytest.fixture
def planted(store: ModelStore) -> ModelStore:
    """A store whose folder the service's user has filled."""
    store.folder.mkdir(parents=True)
    if os.geteuid() == 0:
        os.chown(store.folder.parent, SERVICE_UID, SERVICE_UID)
    return store


@pytest.mark.parametrize("name", [f"{MODEL}.partial", "installed.json.partial"])
def test_store_when_a_link_lies_where_a_file_is_begun_then_that_is_not_followed(
    name: str, planted: ModelStore, target: Path
) -> None:
    (planted.folder / name).symlink_to(target)
    before = target.stat()

    added = add(planted)

    assert target.read_bytes() == b"secret"
    assert (target.stat().st_uid, target.stat().st_mode) == (before.st_uid, before.st_mode)
    assert not planted.path_of(added).is_symlink()
    assert planted.path_of(added).read_bytes() == b"model"
    assert planted.read().models == (added,)


def test_store_when_its_lock_is_a_link_then_it_is_refused_and_nothing_changed(
    planted: ModelStore, target: Path
) -> None:
    (planted.folder / ".lock").symlink_to(target)
    before = target.stat()

    with pytest.raises(UpdateError, match="cannot be written"):
        add(planted)

    assert (target.stat().st_uid, target.stat().st_mtime_ns) == (before.st_uid, before.st_mtime_ns)
    assert planted.read().models == ()


@by_root
def test_store_when_root_changes_it_then_all_of_it_is_the_services(planted: ModelStore) -> None:
    add(planted)
    assert {path.name for path in planted.folder.iterdir()} == {".lock", "installed.json", MODEL}
    for path in (planted.folder, *planted.folder.iterdir()):
        assert (path.stat().st_uid, path.stat().st_gid) == (SERVICE_UID, SERVICE_UID)


@by_root
def test_store_when_its_folder_is_a_link_then_root_does_not_give_away_where_it_leads(
    planted: ModelStore, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    planted.folder.rmdir()
    planted.folder.symlink_to(elsewhere)
    add(planted)
    assert elsewhere.stat().st_uid == 0
