"""Reading from real pipes."""

import os
import threading

import pytest

from edge.audio.stoppable_reader import StoppableReader

LONG_S = 60.0

# A timer's signal falls on some place of a read each time; its handler stops the reader.
STOP_ANYWHERE = """
import os, signal
from edge.audio.stoppable_reader import StoppableReader
reading, writing = os.pipe()
for i in range(1000):
    reader = StoppableReader()
    signal.signal(signal.SIGALRM, lambda *_: reader.stop())
    signal.setitimer(signal.ITIMER_REAL, (1 + i % 60) * 1e-6)
    while not reader.stopped:
        # With an end: of a signal that comes just before poll begins, Python learns when poll has ended.
        assert reader.read([reading], 10, 0.1) is None
    assert reader.read([reading], 10, 0.1) is None
"""


@pytest.fixture
def pipe():
    reading, writing = os.pipe()
    yield reading, writing
    for end in (reading, writing):
        os.close(end)


def read_in_thread(reader, *arguments, **options):
    got = []
    thread = threading.Thread(target=lambda: got.append(reader.read(*arguments, **options)))
    thread.start()
    return thread, got


def test_read_when_bytes_may_gather_then_waits_for_more_and_has_them_together(pipe):
    reading, writing = pipe
    os.write(writing, b"a")
    thread, got = read_in_thread(StoppableReader(), [reading], 100, gather_s=1.0)
    thread.join(0.2)
    assert not got
    os.write(writing, b"b")
    thread.join(LONG_S)

    assert got == [(reading, b"ab")]


def test_read_when_enough_is_there_then_does_not_wait_for_more(pipe):
    reading, writing = pipe
    os.write(writing, b"abc")
    thread, got = read_in_thread(StoppableReader(), [reading], 2, gather_s=LONG_S)
    thread.join(LONG_S / 2)

    assert got == [(reading, b"ab")]


def test_read_when_stopped_while_bytes_gather_then_ends_at_once(pipe):
    reading, writing = pipe
    reader = StoppableReader()
    os.write(writing, b"a")
    thread, got = read_in_thread(reader, [reading], 100, gather_s=LONG_S)
    thread.join(0.2)
    reader.stop()
    thread.join(LONG_S / 2)

    assert got == [None]


def test_read_when_stopped_in_a_signal_handler_at_any_moment_then_ends(run_python):
    result = run_python(STOP_ANYWHERE)

    assert result.returncode == 0, result.stderr


def test_read_when_stopped_by_another_thread_at_any_moment_then_both_end(pipe):
    reading, _ = pipe
    for _ in range(300):
        reader = StoppableReader()
        thread, got = read_in_thread(reader, [reading], 10)
        reader.stop()
        thread.join(LONG_S)
        assert got == [None]
