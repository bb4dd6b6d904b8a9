import gc
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.frontend.mfcc import FrontendConfigError, MfccConfig, SignalError, StreamingMfcc, mfcc

from .pitched import CONFIG, heard, speech_like, voice
from .strategies import cut, cuts, noise


def as_int16(signal):
    return np.clip(signal * 32_768, -32_768, 32_767).astype(np.int16)


@settings(max_examples=12)
@given(st.integers(0, 1_000), cuts, st.booleans())
def test_pitch_when_cut_anywhere_then_frames_equal_the_whole_bit_for_bit(seed, sizes, integers):
    sound = speech_like(seed)[:5_000]
    signal = as_int16(sound) if integers else sound.astype(np.float32)
    stream = StreamingMfcc(CONFIG, np.float64)
    parts = [stream.push(block) for block in cut(signal, sizes)]

    whole = mfcc(signal, CONFIG, np.float64)
    assert whole.shape == (CONFIG.frames_in(signal.size), 42)
    assert np.array_equal(np.concatenate([*parts, stream.flush()]), whole)


def test_pitch_when_pushed_one_sample_at_a_time_then_frames_equal_the_whole():
    signal = speech_like(1)[:3_000].astype(np.float32)
    stream = StreamingMfcc(CONFIG)
    parts = [stream.push(block) for block in cut(signal, [1])]

    assert np.array_equal(np.concatenate(parts), mfcc(signal, CONFIG))


def test_pitch_when_longer_than_any_tile_then_frames_equal_the_whole():
    signal = np.concatenate([speech_like(seed) for seed in range(20)]).astype(np.float32)
    stream = StreamingMfcc(CONFIG)
    parts = [stream.push(block) for block in cut(signal, [8_000, 1, 30_000, 513])]

    assert np.array_equal(np.concatenate(parts), mfcc(signal, CONFIG))


@settings(max_examples=10)
@given(
    st.integers(0, 1_000),
    st.integers(0, 6_000),
    st.sampled_from([{}, {"lead": 200}, {"frame_length": 512}, {"hop_length": 400}, {"preemphasis": 0.97}]),
)
def test_mfccs_when_pitch_stands_beside_them_then_they_are_what_they_are_without_it(seed, n, fields):
    signal = speech_like(seed)[:n].astype(np.float32)
    with_pitch, without = CONFIG.replace(**fields), MfccConfig(**fields)
    frames = mfcc(signal, with_pitch)

    assert (with_pitch.n_features, with_pitch.n_pitch) == (42, 2)
    assert frames.shape == (without.frames_in(n), 42)
    assert frames.dtype == np.float32
    assert np.array_equal(frames[:, :40], mfcc(signal, without))


@pytest.mark.parametrize(
    "signal",
    [
        np.full(8_000, 1.0),
        np.full(8_000, -32_768, np.int16),
        np.resize(np.array([1.0, -1.0]), 8_000),
        np.eye(1, 8_000, 4_000)[0],
        np.full(8_000, 5e-324),
        np.where(np.arange(8_000) // 40 % 2, 1.0, -1.0),
        np.resize(np.array([4.29e9, -4.29e9]), 8_000),
        noise(8_000, 1).astype(np.float16),
        noise(8_000, 1).astype(np.longdouble),
    ],
    ids=[
        "constant",
        "lowest",
        "Nyquist",
        "impulse",
        "denormals",
        "square",
        "loudest",
        "float16",
        "long double",
    ],
)
@pytest.mark.filterwarnings("error")
def test_pitch_when_the_sound_is_extreme_then_it_is_finite_and_voicing_from_0_to_1(signal):
    pitch, voicing = heard(signal)

    assert np.isfinite(pitch).all()
    assert np.abs(pitch).max() < 2.5
    assert voicing.min() >= 0.0
    assert voicing.max() <= 1.0


def test_int16_when_given_then_it_counts_as_a_fraction_of_full_scale():
    integers = as_int16(speech_like(3))

    assert np.array_equal(mfcc(integers, CONFIG), mfcc(integers / 32_768, CONFIG))


@pytest.mark.parametrize("forget", [StreamingMfcc.reset, StreamingMfcc.flush])
def test_stream_when_reset_then_it_is_as_if_new(forget):
    loud, signal = voice(500).astype(np.float32), (0.1 * speech_like(4)).astype(np.float32)
    stream = StreamingMfcc(CONFIG)
    stream.push(loud)
    forget(stream)

    assert np.array_equal(stream.push(signal), mfcc(signal, CONFIG))


@pytest.mark.parametrize("bad", [np.full(3_000, np.nan, np.float32), np.zeros((2, 2)), np.zeros(9, np.int64)])
def test_stream_when_a_block_is_refused_then_it_goes_on_as_if_it_had_not_come(bad):
    signal = speech_like(5).astype(np.float32)
    stream = StreamingMfcc(CONFIG)
    parts = [stream.push(signal[:3_100])]
    with pytest.raises(SignalError):
        stream.push(bad)
    parts.append(stream.push(signal[3_100:]))

    assert np.array_equal(np.concatenate(parts), mfcc(signal, CONFIG))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"delta_orders": 1}, "pitch cannot be combined with deltas"),
        ({"sample_rate": 7_999, "fmax": 3_999.0}, "pitch needs a sample_rate of 8000 or more, not 7999"),
        ({"pitch": 1}, "pitch is 1; it must be true or false"),
    ],
)
def test_config_when_pitch_cannot_be_computed_then_the_error_says_why(fields, message):
    with pytest.raises(FrontendConfigError, match=message):
        MfccConfig(**{"pitch": True, **fields})


def test_stream_with_pitch_when_it_works_in_blocks_of_any_size_then_it_does_not_grow():
    blocks = [speech_like(seed)[:n].astype(np.float32) for seed, n in enumerate((160, 1_600, 77, 4_000, 1))]
    stream = StreamingMfcc(CONFIG)
    for block in blocks:
        stream.push(block)
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(30):
            for block in blocks:
                stream.push(block)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert after - before < 100_000
