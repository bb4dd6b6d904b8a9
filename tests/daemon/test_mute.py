import os

import pytest

from edge.mute import MuteMemory


def test_mute_memory_when_remembered_then_another_process_knows(tmp_path):
    folder = tmp_path / "made" / "on demand"
    assert not MuteMemory(folder, "kitchen").muted
    assert MuteMemory(folder, "kitchen").remember(True)
    assert MuteMemory(folder, "kitchen").muted
    assert not MuteMemory(folder, "hall").muted
    assert MuteMemory(folder, "kitchen").remember(False)
    assert MuteMemory(folder, "kitchen").remember(False)
    assert not MuteMemory(folder, "kitchen").muted


def test_mute_memory_when_the_folder_cannot_be_made_then_says_so_and_goes_on(tmp_path, caplog):
    (tmp_path / "file").write_text("")

    assert not MuteMemory(tmp_path / "file", "kitchen").remember(True)
    assert "a restart will forget" in caplog.text
    assert not MuteMemory(tmp_path / "file", "kitchen").muted


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look anywhere")
def test_mute_memory_when_it_cannot_be_looked_at_then_muted(tmp_path):
    tmp_path.chmod(0)
    try:
        assert MuteMemory(tmp_path, "kitchen").muted
    finally:
        tmp_path.chmod(0o700)
