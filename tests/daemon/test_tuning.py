"""What commands have set, and the file that remembers it."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.tuning import Tuning, TuningFile


def test_tuning_when_written_then_is_read_again_and_by_its_own_device_alone(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    tuning = Tuning(sensitivity_db=3.0, threshold=0.5)
    assert TuningFile(folder, "pi").write(tuning)
    assert TuningFile(folder, "pi").read() == tuning
    assert TuningFile(folder, "other").read() == Tuning()
    assert TuningFile(folder, "pi").write(Tuning())
    assert not list(folder.iterdir())


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'{"threshold": 7}', b'{"sensitivity_db": "loud"}'])
def test_tuning_when_its_file_is_damaged_then_is_passed_over_and_said(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "tuning-pi.json"
    file.write_bytes(content)
    assert TuningFile(tmp_path, "pi").read() == Tuning()
    assert str(file) in caplog.text


def test_tuning_when_it_cannot_be_written_then_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "state").write_text("in the way")
    assert not TuningFile(tmp_path / "state", "pi").write(Tuning(threshold=0.5))
    assert TuningFile(tmp_path / "state", "pi").read() == Tuning()
    assert "a restart will forget" in caplog.text
