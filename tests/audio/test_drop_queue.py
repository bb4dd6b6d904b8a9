import threading

import pytest

from edge.audio.drop_queue import DropQueue


def drain(queue):
    chunks = []
    while (chunk := queue.get(0.0)) is not None:
        chunks.append(chunk)
    return chunks


def test_drop_queue_when_it_fits_then_chunks_come_in_order():
    queue = DropQueue(30)
    for chunk in (b"a", b"b", b"c"):
        queue.put(chunk, 10)

    assert drain(queue) == [b"a", b"b", b"c"]
    assert queue.dropped_frames == 0


def test_drop_queue_when_full_then_the_oldest_are_dropped_and_counted():
    queue = DropQueue(25)
    for chunk in (b"a", b"b", b"c", b"d"):
        queue.put(chunk, 10)

    assert queue.dropped_frames == 20
    assert drain(queue) == [b"c", b"d"]


def test_drop_queue_when_one_chunk_is_longer_than_it_all_then_that_chunk_is_kept():
    queue = DropQueue(5)
    queue.put(b"a", 10)
    queue.put(b"b", 10)

    assert drain(queue) == [b"b"]


def test_drop_queue_when_emptied_then_there_is_room_again():
    queue = DropQueue(20)
    for _ in range(50):
        queue.put(b"a", 10)
        queue.put(b"b", 10)
        assert drain(queue) == [b"a", b"b"]

    assert queue.dropped_frames == 0


def test_drop_queue_when_a_chunk_comes_then_a_waiting_get_has_it():
    queue = DropQueue(10)
    got = []
    thread = threading.Thread(target=lambda: got.append(queue.get(10.0)))
    thread.start()
    queue.put(b"a", 1)
    thread.join(5)

    assert got == [b"a"]


def test_drop_queue_when_more_is_wanted_then_a_get_waits_until_so_much_is_there_and_has_it_joined():
    queue = DropQueue(100)
    got = []
    thread = threading.Thread(target=lambda: got.append(queue.get(60.0, 25)))
    thread.start()
    for chunk in (b"a", b"b"):
        queue.put(chunk, 10)
    thread.join(0.05)
    assert not got
    queue.put(b"c", 10)
    thread.join(5)
    queue.put(b"d", 10)

    assert got == [b"abc"]
    assert drain(queue) == [b"d"]


def test_drop_queue_when_less_than_wanted_comes_in_time_then_a_get_has_that():
    queue = DropQueue(20)
    for chunk in (b"a", b"b", b"c"):
        queue.put(chunk, 10)

    assert queue.get(0.01, 1_000) == b"bc"
    assert queue.get(0.01, 1_000) is None
    assert queue.dropped_frames == 10


def test_drop_queue_when_closed_then_a_waiting_get_ends_and_nothing_is_taken():
    queue = DropQueue(10)
    got = [b"unset"]
    thread = threading.Thread(target=lambda: got.append(queue.get(60.0)))
    thread.start()
    queue.close()
    thread.join(5)
    queue.put(b"late", 1)

    assert got == [b"unset", None]
    assert queue.closed
    assert queue.get(0.0) is None


@pytest.mark.parametrize("wanted", [1, 6])
@pytest.mark.parametrize("max_frames", [1, 7, 1_000])
def test_drop_queue_when_two_threads_use_it_then_every_frame_is_got_or_counted(max_frames, wanted):
    queue = DropQueue(max_frames)
    got = []
    done = threading.Event()

    def consume():
        while (chunk := queue.get(0.01, wanted)) is not None or not done.is_set():
            if chunk is not None:
                got.extend(int(number) for number in chunk.split())

    thread = threading.Thread(target=consume)
    thread.start()
    for number in range(5_000):
        queue.put(b"%d " % number, 3)
    done.set()
    thread.join(10)

    assert got == sorted(got)
    assert 3 * len(got) + queue.dropped_frames == 15_000
