"""The outbox file cut, garbled, replaced: the next start goes on, with every turn that is whole."""

from __future__ import annotations

import logging
import os
import random
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import pytest
from support.brokers import TIMEOUT_S

from edge.mqtt.durable_outbox import DurableOutbox
from edge.mqtt.outbox_settings import OutboxSettings
from edge.mqtt.turn_store import StoreUnavailableError, TurnStore

TURNS = [b"turn %d " % number + b"." * 300 for number in range(20)]
STEP = 211
"""Bytes between the places that are tried: a prime, so that it meets every kind of field"""

EVERY = pytest.param(1, marks=[pytest.mark.endurance, pytest.mark.timeout(3600)])
"""Every byte, of a small file"""


def drain(outbox: DurableOutbox) -> list[bytes]:
    """What the outbox gives, repaired by its writer where that is needed."""
    outbox.start(lambda: None)
    left = []
    with outbox._changed:
        assert outbox._changed.wait_for(lambda: not outbox._damaged, TIMEOUT_S)
    while len(outbox):
        head = outbox.head()
        if head is None:
            with outbox._changed:
                assert outbox._changed.wait_for(lambda: not outbox._damaged, TIMEOUT_S)
            continue
        left.append(head[1])
        outbox.remove(head[0])
    return left


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An outbox file with turns in it, some still in its write-ahead log, as a power cut leaves it."""
    return torn_away(tmp_path_factory, TURNS[:12], TURNS[12:])


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Likewise, as small as it can be."""
    return torn_away(tmp_path_factory, TURNS[:2], TURNS[2:3])


@pytest.fixture
def folder() -> Iterator[Path]:
    """In memory where that can be: thousands of files are written, each to the end."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as name:
        yield Path(name)


def torn_away(factory: pytest.TempPathFactory, stored: list[bytes], logged: list[bytes]) -> Path:
    folder, copy = factory.mktemp("whole"), factory.mktemp("copy") / "o.sqlite3"
    outbox = DurableOutbox(OutboxSettings(), written(folder / "o.sqlite3", stored))
    for turn in logged:
        outbox.put(turn)
    outbox._commit()
    for part in ("", "-wal"):
        shutil.copy(f"{folder / 'o.sqlite3'}{part}", f"{copy}{part}")
    outbox.close()
    return copy


def written(path: Path, turns: list[bytes]) -> Path:
    outbox = DurableOutbox(OutboxSettings(), path)
    for turn in turns:
        outbox.put(turn)
    outbox.close()
    return path


def check_every_place(
    whole: Path, folder: Path, part: str, step: int, harm: Callable[[BinaryIO, int], object]
) -> None:
    """Do the harm at one place after the other, each time to a fresh copy."""
    logging.disable(logging.CRITICAL)
    for place in range(0, Path(f"{whole}{part}").stat().st_size, step):
        here = folder / str(place)
        here.mkdir()
        for copied in ("", "-wal"):
            shutil.copy(f"{whole}{copied}", f"{here / whole.name}{copied}")
        with Path(f"{here / whole.name}{part}").open("r+b") as file:
            file.seek(place)
            harm(file, place)
        assert in_order(start_and_work(here / whole.name)), f"at byte {place}"
        shutil.rmtree(here)
    logging.disable(logging.NOTSET)


def start_and_work(path: Path) -> list[bytes]:
    """Start on a file, queue one more turn, and give what is delivered before that one."""
    outbox = DurableOutbox(OutboxSettings(commit_s=0.05), path)
    outbox.put(b"new")
    left = drain(outbox)
    outbox.close()
    assert left[-1] == b"new"
    again = DurableOutbox(OutboxSettings(), path)
    again.put(b"newer")
    assert drain(again)[-1] == b"newer"
    again.close()
    return left[:-1]


def in_order(turns: list[bytes]) -> bool:
    return all(turn in TURNS for turn in turns) and turns == sorted(set(turns), key=TURNS.index)


@pytest.mark.parametrize("step", [STEP, EVERY])
@pytest.mark.parametrize("part", ["", "-wal"])
def test_outbox_when_its_file_is_cut_at_any_byte_then_starts_and_gives_only_whole_turns(
    whole: Path, small: Path, folder: Path, part: str, step: int
) -> None:
    check_every_place(
        small if step == 1 else whole, folder, part, step, lambda file, place: file.truncate(place)
    )


@pytest.mark.parametrize("length", [1, 64])
@pytest.mark.parametrize("step", [STEP, EVERY])
@pytest.mark.parametrize("part", ["", "-wal"])
def test_outbox_when_its_file_is_garbled_at_any_byte_then_starts_and_gives_only_whole_turns(
    whole: Path, small: Path, folder: Path, part: str, step: int, length: int
) -> None:
    chance = random.Random(6)
    check_every_place(
        small if step == 1 else whole,
        folder,
        part,
        step,
        lambda file, _: file.write(chance.randbytes(length)),
    )


def test_outbox_when_one_turn_is_garbled_then_all_others_arrive(tmp_path: Path) -> None:
    path = written(tmp_path / "o.sqlite3", TURNS)
    # Everywhere in the file: SQLite may have moved the row and left its old place as it was.
    path.write_bytes(path.read_bytes().replace(TURNS[2], b"T" + TURNS[2][1:]))
    assert start_and_work(path) == [turn for turn in TURNS if turn != TURNS[2]]


def test_outbox_when_the_file_is_none_of_ours_then_it_is_kept_aside_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "o.sqlite3"
    path.write_bytes(b"holiday pictures" * 1000)
    assert start_and_work(path) == []
    (aside,) = tmp_path.glob("*.bad-*")
    assert aside.read_bytes() == b"holiday pictures" * 1000
    assert str(aside) in caplog.text


def test_outbox_when_the_file_is_of_another_program_then_it_is_kept_aside(tmp_path: Path) -> None:
    path = tmp_path / "o.sqlite3"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE turns (name)")
    other.close()
    assert start_and_work(path) == []
    assert len(list(tmp_path.glob("*.bad-*Z"))) == 1


def test_outbox_when_damaged_again_and_again_then_only_the_last_files_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "o.sqlite3"
    for number in range(6):
        path.write_bytes(b"%d" % number * 5000)
        DurableOutbox(OutboxSettings(), path).close()
    assert [file.read_bytes()[:1] for file in sorted(tmp_path.glob("*.bad-*Z"))] == [b"3", b"4", b"5"]


def test_outbox_when_damaged_while_it_runs_then_goes_on_and_says_what_was_lost(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = written(tmp_path / "o.sqlite3", TURNS * 100)
    outbox = DurableOutbox(OutboxSettings(commit_s=0.05), path)
    content = path.read_bytes()
    path.write_bytes(content[:4096] + bytes(len(content) - 4096))
    outbox.put(b"new")
    assert drain(outbox)[-1] == b"new"
    outbox.close()
    assert "turns were lost due to damage" in caplog.text


def test_outbox_when_another_process_has_the_file_then_works_in_memory_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "o.sqlite3"
    first = TurnStore(path)
    with pytest.raises(StoreUnavailableError, match="another affectd"):
        TurnStore(path)
    outbox = DurableOutbox(OutboxSettings(fsync=True), path)
    outbox.put(b"turn")
    assert drain(outbox) == [b"turn"]
    assert "another affectd" in caplog.text
    outbox.close()
    first.close()


def test_outbox_when_made_then_nobody_else_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "affectd" / "o.sqlite3"
    outbox = DurableOutbox(OutboxSettings(), path)
    outbox.put(b"turn")
    outbox._commit()
    modes = {file.name: file.stat().st_mode & 0o077 for file in path.parent.iterdir() if file.stat().st_size}
    assert set(modes.values()) == {0}
    assert path.parent.stat().st_mode & 0o077 == 0
    outbox.close()


def test_outbox_when_drained_then_gives_the_space_back(tmp_path: Path) -> None:
    path = written(tmp_path / "o.sqlite3", TURNS * 100)
    full = path.stat().st_size
    outbox = DurableOutbox(OutboxSettings(commit_s=0.05), path)
    assert len(drain(outbox)) == len(TURNS) * 100
    outbox.close()
    assert path.stat().st_size < full / 10
