import threading
import time
import types

import numpy as np
import pytest
import soundfile

from edge.audio.errors import AudioFileAccessError, DamagedAudioError
from edge.audio.file_source import FileSource
from edge.audio.files import read_file


@pytest.fixture
def clip(tmp_path):
    """1.3 s of stereo noise at 44.1 kHz."""
    path = tmp_path / "clip.flac"
    soundfile.write(path, np.random.default_rng(3).uniform(-0.9, 0.9, (57_330, 2)), 44_100)
    return path


@pytest.mark.parametrize("block_ms", [1, 20, 333, 5_000])
def test_file_source_when_streamed_then_equals_the_whole_file_bit_for_bit(clip, block_ms):
    streamed = np.concatenate(list(FileSource(clip, block_ms=block_ms).blocks()))

    np.testing.assert_array_equal(streamed, read_file(clip))


def test_file_source_when_streamed_then_no_block_is_empty_or_much_longer_than_asked(clip):
    sizes = [block.size for block in FileSource(clip, block_ms=20).blocks()]

    assert min(sizes) > 0
    assert max(sizes[:-1]) <= 800


def test_file_source_when_realtime_then_blocks_come_no_earlier_than_from_a_microphone(clip):
    start = time.monotonic()
    n_samples = 0
    for block in FileSource(clip, realtime=True, block_ms=50).blocks():
        n_samples += block.size
        assert time.monotonic() - start >= n_samples / 16_000 - 1e-3

    assert n_samples == read_file(clip).size


def test_file_source_when_consumer_was_slow_in_realtime_then_due_blocks_come_at_once(clip):
    source = FileSource(clip, realtime=True)
    blocks = source.blocks()
    first = next(blocks)
    threading.Event().wait(0.6)
    start = time.monotonic()
    late = [next(blocks) for _ in range(20)]

    assert time.monotonic() - start < 0.3
    assert sum(block.size for block in [first, *late]) >= 16_000 * 0.35
    source.close()


def test_file_source_when_closed_from_another_thread_then_a_paced_wait_ends_at_once(clip):
    source = FileSource(clip, realtime=True, block_ms=1_000)
    blocks = source.blocks()
    waiting = threading.Thread(target=lambda: list(blocks))
    waiting.start()
    start = time.monotonic()
    source.close()
    waiting.join(5)

    assert not waiting.is_alive()
    assert time.monotonic() - start < 0.5


def test_file_source_when_closed_between_blocks_then_ends(clip):
    source = FileSource(clip)
    blocks = source.blocks()
    next(blocks)
    source.close()
    source.close()

    assert list(blocks) == []


def test_file_source_when_closed_before_it_began_then_gives_nothing(clip):
    source = FileSource(clip)
    source.close()

    assert list(source.blocks()) == []


def test_file_source_when_file_is_missing_then_making_it_is_fine_and_blocks_raises(tmp_path):
    blocks = FileSource(tmp_path / "none.wav").blocks()

    assert isinstance(blocks, types.GeneratorType)
    with pytest.raises(AudioFileAccessError):
        next(blocks)


def test_file_source_when_truncated_flac_then_gives_what_is_whole_and_then_raises(clip):
    whole = clip.read_bytes()
    clip.write_bytes(whole[: len(whole) // 2])
    n_samples = 0

    def listen():
        nonlocal n_samples
        for block in FileSource(clip).blocks():
            n_samples += block.size

    with pytest.raises(DamagedAudioError):
        listen()
    assert n_samples > 4_000
