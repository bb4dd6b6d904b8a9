import doctest
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import edge.frontend.mfcc
from edge.frontend.mfcc import MfccConfig, StreamingMfcc, log_mel, mfcc
from edge.frontend.mfcc_chain import GROUP, chain

from .strategies import configs, cut, cuts, noise, signals

DELTAS = MfccConfig(n_mfcc=13, delta_orders=2)


def streamed(signal, config, sizes, dtype=np.float32):
    stream = StreamingMfcc(config, dtype)
    parts = [stream.push(block) for block in cut(signal, sizes)]
    return np.concatenate([*parts, stream.flush()])


@settings(max_examples=150, deadline=None)
@given(configs(), signals(), cuts)
def test_stream_when_cut_anywhere_then_frames_equal_the_whole_bit_for_bit(config, signal, sizes):
    whole = mfcc(signal, config)
    assert whole.shape == (config.frames_in(signal.size), config.n_features)
    assert np.array_equal(streamed(signal, config, sizes), whole)


@settings(max_examples=25, deadline=None)
@given(signals(9_000, 30_000), cuts, st.sampled_from([MfccConfig(), DELTAS, DELTAS.replace(energy=True)]))
def test_stream_when_longer_than_a_tile_then_frames_equal_the_whole_bit_for_bit(signal, sizes, config):
    assert np.array_equal(streamed(signal, config, sizes), mfcc(signal, config))


@settings(max_examples=25, deadline=None)
@given(signals(0, 5_000), cuts, st.integers(0, 2))
def test_stream_in_float64_when_cut_anywhere_then_frames_equal_the_whole(signal, sizes, orders):
    config = MfccConfig.python_speech_features().replace(delta_orders=orders)
    whole = mfcc(signal, config, np.float64)
    assert whole.dtype == np.float64
    assert np.array_equal(streamed(signal, config, sizes, np.float64), whole)


@pytest.mark.parametrize("dtype", [np.float32, np.int16])
@pytest.mark.parametrize("config", [MfccConfig(), DELTAS])
def test_stream_when_pushed_one_sample_at_a_time_then_frames_equal_the_whole(config, dtype):
    signal = (noise(4_000, 1) * (32_768 if dtype is np.int16 else 1)).astype(dtype)
    assert np.array_equal(streamed(signal, config, [1]), mfcc(signal, config))


@pytest.mark.parametrize("config", [MfccConfig(), MfccConfig.python_speech_features(), MfccConfig.librosa()])
def test_stream_when_the_blas_adds_up_by_shape_and_row_then_frames_equal_the_whole(config, monkeypatch):
    """As bad a BLAS as may be: each row of a product comes out differently, by its place and company."""
    true_matmul = np.matmul
    shapes = set()

    def matmul(a, b, out):
        shapes.add(a.shape[-2])
        true_matmul(a, b, out=out)
        out *= 1.0 + 1e-6 * np.arange(a.shape[-2])[:, None]
        return out

    monkeypatch.setattr(np, "matmul", matmul)
    signal = noise(30_000, 2).astype(np.float32)
    whole = mfcc(signal, config, np.float64)
    assert shapes == {GROUP}
    for sizes in ([1_600], [160], [1, 0, 4_321, 777], [25_000]):
        assert np.array_equal(streamed(signal, config, sizes, np.float64), whole)


def test_stream_when_deltas_are_on_then_frames_come_lookahead_late():
    stream = StreamingMfcc(DELTAS)
    signal = noise(16_000, 3).astype(np.float32)
    ready = DELTAS.frames_in(signal.size)
    assert DELTAS.lookahead == 4
    assert len(stream.push(signal)) == ready - DELTAS.lookahead
    assert len(stream.flush()) == DELTAS.lookahead


def test_stream_when_pushed_then_each_frame_comes_with_its_last_sample():
    config = MfccConfig()
    stream = StreamingMfcc(config)
    counts = [len(stream.push(np.zeros(1, np.float32))) for _ in range(1_000)]
    assert list(np.flatnonzero(counts)) == [399, 559, 719, 879]


@settings(max_examples=40, deadline=None)
@given(configs(), signals(), signals(), cuts)
def test_reset_when_called_then_the_stream_is_as_if_new(config, heard, signal, sizes):
    stream = StreamingMfcc(config)
    for block in cut(heard, sizes):
        stream.push(block)
    stream.reset()
    parts = [stream.push(block) for block in cut(signal, sizes)]
    assert np.array_equal(np.concatenate([*parts, stream.flush()]), mfcc(signal, config))


def test_flush_when_called_then_the_next_signal_starts_anew():
    stream = StreamingMfcc(DELTAS)
    signal = noise(3_333, 4).astype(np.float32)
    first = np.concatenate([stream.push(signal), stream.flush()])
    assert np.array_equal(np.concatenate([stream.push(signal), stream.flush()]), first)


def test_result_when_kept_then_later_pushes_do_not_change_it():
    stream = StreamingMfcc(MfccConfig())
    first = stream.push(noise(8_000, 5).astype(np.float32))
    copy = first.copy()
    stream.push(noise(8_000, 6).astype(np.float32))
    assert np.array_equal(first, copy)


def test_input_when_pushed_then_it_is_left_alone():
    signal = noise(8_000, 7).astype(np.float64)
    copy = signal.copy()
    StreamingMfcc(MfccConfig.python_speech_features()).push(signal)
    assert np.array_equal(signal, copy)


def test_signal_when_strided_or_big_endian_then_frames_are_the_same():
    signal = noise(16_000, 8).astype(np.float32)
    expected = mfcc(signal[::2].copy(), MfccConfig())
    assert np.array_equal(mfcc(signal[::2], MfccConfig()), expected)
    integers = (signal * 32_768).astype(np.int16)
    assert np.array_equal(mfcc(integers.astype(">i2"), MfccConfig()), mfcc(integers, MfccConfig()))


def test_int16_when_given_then_it_counts_as_a_fraction_of_full_scale():
    integers = (noise(8_000, 9) * 32_768).astype(np.int16)
    assert np.array_equal(mfcc(integers, MfccConfig()), mfcc(integers / 32_768, MfccConfig()))


@settings(max_examples=30, deadline=None)
@given(configs(), signals())
def test_log_mel_when_computed_then_it_has_a_row_per_frame_and_a_column_per_filter(config, signal):
    bands = log_mel(signal, config)
    assert bands.shape == (config.frames_in(signal.size), config.n_mels)
    assert bands.dtype == np.float32
    assert np.isfinite(bands).all()


def test_streams_in_threads_when_they_share_a_configuration_then_none_disturbs_another():
    config = MfccConfig(n_mfcc=13)
    chain.cache_clear()
    voices = [noise(24_000, seed).astype(np.float32) for seed in range(4)]
    expected = [mfcc(voice, config) for voice in voices]
    barrier = threading.Barrier(len(voices))
    wrong = []

    def listen(i):
        barrier.wait()
        for repeat in range(25):
            if not np.array_equal(streamed(voices[i], config, [100 + 17 * repeat]), expected[i]):
                wrong.append((i, repeat))

    threads = [threading.Thread(target=listen, args=(i,)) for i in range(len(voices))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_streams_in_one_thread_when_pushed_in_turn_then_none_disturbs_another():
    config = MfccConfig()
    voices = [noise(12_000, seed).astype(np.float32) for seed in (1, 2)]
    streams = [StreamingMfcc(config) for _ in voices]
    parts = [[], []]
    for start in range(0, 12_000, 500):
        for stream, voice, frames in zip(streams, voices, parts, strict=True):
            frames.append(stream.push(voice[start : start + 500]))
    for voice, frames in zip(voices, parts, strict=True):
        assert np.array_equal(np.concatenate(frames), mfcc(voice, config))


def test_module_when_its_example_runs_then_it_holds():
    result = doctest.testmod(edge.frontend.mfcc)
    assert result.attempted > 0
    assert result.failed == 0


def test_page_when_its_example_runs_then_it_holds():
    page = Path(__file__).parents[2] / "docs" / "frontend.md"
    result = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert result.attempted > 0
    assert result.failed == 0
