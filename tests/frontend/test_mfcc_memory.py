import gc
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from edge.frontend.mfcc import MfccConfig, StreamingMfcc, mfcc
from edge.frontend.mfcc_chain import chain

from .strategies import noise

BLOCK = 1_600
BLOCKS_PER_HOUR = 36_000

CONFIGS = {
    "affectd": MfccConfig(),
    "affectd with deltas": MfccConfig(n_mfcc=13, delta_orders=2),
    "affectd with pitch": MfccConfig(pitch=True),
    "python_speech_features": MfccConfig.python_speech_features(),
    "librosa": MfccConfig.librosa(),
    "tf_signal": MfccConfig.tf_signal(),
    "4,096 points": MfccConfig(n_fft=4_096, frame_length=4_096, hop_length=1_024),
}


def resident_bytes():
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4_096


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
@pytest.mark.parametrize("sizes", [[160], [1_600], [1, 77, 4_000, 513, 160_000]], ids=str)
def test_stream_when_it_works_then_it_holds_less_than_2_megabytes(config, sizes):
    """Tables, scratch and state of the only stream of its configuration, and what a push allocates."""
    blocks = [noise(size, size).astype(np.float32) for size in sizes]
    chain.cache_clear()
    gc.collect()
    tracemalloc.start()
    try:
        stream = StreamingMfcc(config)
        tracemalloc.reset_peak()
        pushed = largest = 0
        while pushed < 320_000:
            for block in blocks:
                largest = max(largest, stream.push(block).nbytes)
                pushed += block.size
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 2_000_000
    # Frames on their way out grow with the block: deltas are put beside float64 copies of them, twice.
    assert peak - (1 + 5 * bool(config.delta_orders)) * largest < 2_000_000


def test_stream_when_a_block_is_long_then_it_holds_no_more_afterwards():
    stream = StreamingMfcc(MfccConfig())
    stream.push(noise(BLOCK, 1).astype(np.float32))
    day = np.zeros(160_000, np.float32)
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(10):
            stream.push(day)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 100_000


def test_stream_when_every_block_has_another_size_then_it_hardly_grows():
    """What is remembered for one number of frames must not pile up over all numbers."""
    config = MfccConfig(n_fft=64, frame_length=64, hop_length=16, n_mels=8, n_mfcc=8)
    signal = noise(4_500, 1).astype(np.float32)
    chain.cache_clear()
    gc.collect()
    tracemalloc.start()
    try:
        stream = StreamingMfcc(config)
        stream.push(signal)
        before, _ = tracemalloc.get_traced_memory()
        for size in range(0, 4_500, 4):
            stream.push(signal[:size])
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 300_000


@pytest.mark.slow
@pytest.mark.timeout(1_200)
@pytest.mark.skipif(not Path("/proc/self/statm").is_file(), reason="the resident size is read from /proc")
def test_stream_when_it_hears_24_hours_then_it_does_not_grow():
    audio = noise(BLOCK * 50, 1).astype(np.float32)
    blocks = np.split(audio, 50)
    stream = StreamingMfcc(MfccConfig())

    def hear(n_blocks):
        frames = 0
        for i in range(n_blocks):
            frames += len(stream.push(blocks[i % 50]))
        return frames

    frames = hear(BLOCKS_PER_HOUR // 6)
    gc.collect()
    objects, size = sys.getallocatedblocks(), resident_bytes()
    for _ in range(24):
        frames += hear(BLOCKS_PER_HOUR)
    gc.collect()
    assert frames == MfccConfig().frames_in(BLOCK * (24 * BLOCKS_PER_HOUR + BLOCKS_PER_HOUR // 6))
    assert sys.getallocatedblocks() - objects < 500
    assert resident_bytes() - size < 1_000_000


def test_stream_when_it_has_heard_a_long_signal_then_its_frames_still_equal_the_whole():
    """The frame count is kept modulo the group, so it neither overflows nor drifts."""
    signal = np.tile(noise(BLOCK * 10, 2).astype(np.float32), 60)
    stream = StreamingMfcc(MfccConfig())
    parts = [stream.push(block) for block in np.split(signal, 600)]
    assert np.array_equal(np.concatenate(parts), mfcc(signal, MfccConfig()))
