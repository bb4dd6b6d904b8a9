"""A disk that is full or read-only: a real one, small, mounted in a namespace of the child's own."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from support.brokers import program

SMALL_DISK = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
SIZE_KIB = 512


@pytest.fixture
def on_small_disk(tmp_path: Path):
    """Runs Python source where `tmp_path` is a small disk; `mount` in it may be called again."""
    program("unshare")
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = f"mount -t tmpfs -o size={SIZE_KIB}k tmpfs '{disk}'"
    if subprocess.run([*SMALL_DISK, mount], capture_output=True, check=False).returncode:
        pytest.skip("no disk can be mounted in a namespace here")

    def run(code: str) -> tuple[str, str]:
        source = tmp_path / "child.py"
        source.write_text(PREAMBLE.format(disk=str(disk)) + textwrap.dedent(code))
        command = f"{mount} && '{sys.executable}' '{source}'"
        done = subprocess.run([*SMALL_DISK, command], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout, done.stderr

    return run


PREAMBLE = """
import logging, pathlib, subprocess, threading
from edge.mqtt import durable_outbox
from edge.mqtt.durable_outbox import DurableOutbox
from edge.mqtt.outbox_settings import OutboxSettings

logging.basicConfig(level=logging.INFO)
durable_outbox._RETRY_S = 0.05
disk = pathlib.Path({disk!r})
path = disk / "o.sqlite3"

def wait_for(outbox, condition):
    with outbox._changed:
        assert outbox._changed.wait_for(condition, 20)

def drain(outbox):
    left = []
    while (head := outbox.head()) is not None:
        left.append(head[1])
        outbox.remove(head[0])
    return left

TURNS = [b"%04d" % n + b"." * 996 for n in range(1000)]
"""


def test_outbox_when_the_disk_is_full_then_goes_on_in_memory_and_later_on_disk(on_small_disk) -> None:
    out, log = on_small_disk("""
        outbox = DurableOutbox(OutboxSettings(commit_s=0.05), path)
        outbox.start(lambda: None)
        for turn in TURNS:
            outbox.put(turn)
        wait_for(outbox, lambda: outbox.in_memory)
        assert len(outbox) == 1000
        for turn in TURNS[:100]:
            key, payload = outbox.head()
            assert payload == turn
            outbox.remove(key)
        subprocess.run(["mount", "-o", "remount,size=8M", disk], check=True)
        wait_for(outbox, lambda: not outbox.in_memory)
        outbox.close()
        again = DurableOutbox(OutboxSettings(), path)
        print(drain(again) == TURNS[100:])
        """)
    assert out == "True\n"
    assert log.count("the disk is full") == 1
    assert log.count("turns are written to disk again") == 1


def test_outbox_when_the_disk_is_full_and_fsync_is_on_then_turns_are_offered_all_the_same(
    on_small_disk,
) -> None:
    out, _ = on_small_disk("""
        outbox = DurableOutbox(OutboxSettings(fsync=True), path)
        outbox.start(lambda: None)
        for turn in TURNS:
            outbox.put(turn)
            outbox.settle()
        print(outbox.in_memory, drain(outbox) == TURNS)
        """)
    assert out == "True True\n"


def test_outbox_when_the_disk_is_read_only_from_the_start_then_works_in_memory(on_small_disk) -> None:
    out, log = on_small_disk("""
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        outbox = DurableOutbox(OutboxSettings(fsync=True), path)
        outbox.start(lambda: None)
        outbox.put(b"turn")
        outbox.settle()
        print(outbox.head()[1])
        outbox.close()
        """)
    assert out == "b'turn'\n"
    assert "turns are queued in memory only" in log


@pytest.fixture
def on_failing_disk(tmp_path: Path):
    """Runs Python source where `tmp_path/disk` is an ext4 that can fail; what is on it stays between runs."""
    image, disk = tmp_path / "image", tmp_path / "disk"
    disk.mkdir()
    image.write_bytes(bytes(8 * 2**20))
    subprocess.run([program("mkfs.ext4"), "-q", "-F", str(image)], check=True)
    apart = ["unshare", "--mount", "sh", "-c"]
    mount = f"mount -o loop '{image}' '{disk}'"
    if subprocess.run([*apart, mount], capture_output=True, check=False).returncode:
        pytest.skip("only root can mount an ext4 here")

    def run(code: str) -> tuple[str, str]:
        source = tmp_path / "child.py"
        source.write_text(PREAMBLE.format(disk=str(disk)) + textwrap.dedent(code))
        command = f"{mount} && '{sys.executable}' '{source}'"
        done = subprocess.run([*apart, command], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout, done.stderr

    return run


def test_outbox_when_the_disk_turns_read_only_while_running_then_goes_on_in_memory(on_failing_disk) -> None:
    out, log = on_failing_disk("""
        outbox = DurableOutbox(OutboxSettings(commit_s=0.05), path)
        outbox.start(lambda: None)
        for turn in TURNS[:10]:
            outbox.put(turn)
        wait_for(outbox, lambda: outbox._stored_upto == 9)
        # What ext4 does to itself when its card fails: every write is refused from now on.
        subprocess.run(["mount", "-o", "remount,abort", disk], check=True)
        for turn in TURNS[10:20]:
            outbox.put(turn)
        wait_for(outbox, lambda: outbox.in_memory)
        print(drain(outbox) == TURNS[:20], outbox.alive)
        outbox.close()
        """)
    assert out == "True True\n"
    assert log.count("turns are queued in memory only") == log.count("\n") == 1
    assert "check that the disk is there and writable" in log
    out, _ = on_failing_disk("""
        print(drain(DurableOutbox(OutboxSettings(), path)) == TURNS[:10])
        """)
    # The disk could not be told that they had been delivered: they come again, with the same ids.
    assert out == "True\n"
