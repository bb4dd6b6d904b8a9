import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edge.frontend.mfcc import MfccConfig, SignalError, StreamingMfcc, log_mel, mfcc

from .strategies import configs, noise

CONFIGS = {
    "affectd": MfccConfig(),
    "python_speech_features": MfccConfig.python_speech_features(),
    "librosa": MfccConfig.librosa(),
    "tf_signal": MfccConfig.tf_signal(),
    "deltas": MfccConfig(n_mfcc=13, delta_orders=2, energy=True),
}
N = 8_000
SOUNDS = {
    "silence": np.zeros(N, np.float32),
    "negative zero": -np.zeros(N, np.float32),
    "silence, int16": np.zeros(N, np.int16),
    "constant": np.full(N, 1.0, np.float32),
    "constant, int16": np.full(N, -32_768, np.int16),
    "square": np.where(np.arange(N) // 40 % 2, 1.0, -1.0).astype(np.float32),
    "square, int16": np.where(np.arange(N) // 40 % 2, 32_767, -32_768).astype(np.int16),
    "Nyquist": np.resize(np.array([1.0, -1.0], np.float32), N),
    "float32 denormals": np.full(N, 1e-40, np.float32),
    "float64 denormals": np.full(N, 5e-324),
    "impulse": np.eye(1, N, 4_000, dtype=np.float32)[0],
    "as loud as is allowed": np.resize(np.array([4.29e9, -4.29e9]), N),
    "float16": (noise(N, 1) * 0.1).astype(np.float16),
    "long double": noise(N, 1).astype(np.longdouble),
}


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
@pytest.mark.parametrize("sound", SOUNDS.values(), ids=SOUNDS)
def test_mfcc_when_the_sound_is_extreme_then_every_value_is_finite(sound, config):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        frames = mfcc(sound, config)
        bands = log_mel(sound, config)
    assert frames.shape == (config.frames_in(N), config.n_features)
    assert np.isfinite(frames).all()
    assert np.isfinite(bands).all()


def test_mfcc_when_silent_then_the_bands_stand_on_the_floor():
    bands = log_mel(np.zeros(N, np.float32), MfccConfig(), np.float64)
    assert np.all(bands == np.log(MfccConfig().log_floor))


def test_mfcc_when_the_log_floor_is_the_smallest_number_then_silence_is_finite():
    assert np.isfinite(mfcc(np.zeros(N), MfccConfig(log_floor=5e-324))).all()


@settings(max_examples=100, deadline=None)
@given(
    configs(),
    hnp.arrays(
        st.sampled_from([np.float32, np.float64]),
        st.integers(0, 1_500),
        elements=st.floats(-(2.0**31), 2.0**31, width=32),
    ),
)
def test_mfcc_when_samples_are_any_finite_numbers_then_every_value_is_finite(config, signal):
    assert np.isfinite(mfcc(signal, config)).all()


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
@pytest.mark.parametrize("n", [0, 1])
def test_mfcc_when_the_signal_is_shorter_than_a_frame_then_there_is_none(n, config):
    frames = mfcc(np.ones(n, np.float32), config)
    assert frames.shape == (config.frames_in(n), config.n_features) == (0, config.n_features)
    assert frames.dtype == np.float32
    assert log_mel(np.ones(n, np.float32), config).shape == (0, config.n_mels)


@pytest.mark.parametrize("length", [399, 400, 401, 559, 560])
def test_mfcc_when_the_signal_has_just_enough_samples_then_it_has_the_frames_announced(length):
    config = MfccConfig()
    assert len(mfcc(np.ones(length, np.float32), config)) == config.frames_in(length)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 2.0**32, -1e300])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("at", [0, 4_000, N - 1])
def test_mfcc_when_a_sample_is_not_sound_then_the_error_names_it(bad, dtype, at):
    with np.errstate(over="ignore"):
        signal = noise(N, 1).astype(dtype)
        signal[at] = bad
    with pytest.raises(SignalError, match=rf"sample {at} is"):
        mfcc(signal, MfccConfig())


def test_mfcc_when_a_float16_sample_is_infinite_then_the_error_names_it():
    signal = np.zeros(N, np.float16)
    signal[7] = np.inf
    with pytest.raises(SignalError, match="sample 7 is inf"):
        mfcc(signal, MfccConfig())


@pytest.mark.parametrize(
    ("signal", "message"),
    [
        (np.zeros((10, 2), np.float32), r"shape \(10, 2\)"),
        (np.float32(1.0), "numpy array"),
        (np.zeros((), np.float32), r"shape \(\)"),
        ([0.0] * 500, "not list"),
        (None, "not NoneType"),
        (b"\0" * 1_000, "not bytes"),
        (np.zeros(500, np.int32), "int32"),
        (np.zeros(500, np.uint8), "uint8"),
        (np.zeros(500, np.uint16), "uint16"),
        (np.zeros(500, bool), "bool"),
        (np.zeros(500, complex), "complex128"),
        (np.zeros(500, object), "object"),
        (np.array(["a"] * 500), "U1"),
    ],
)
def test_mfcc_when_the_signal_is_of_a_wrong_kind_then_the_error_says_which(signal, message):
    with pytest.raises(SignalError, match=message):
        mfcc(signal, MfccConfig())
    with pytest.raises(SignalError, match=message):
        log_mel(signal, MfccConfig())


@pytest.mark.parametrize(
    "bad",
    [
        np.full(1, np.nan, np.float32),
        np.full(300_000, np.nan, np.float32),
        np.append(np.zeros(300_000, np.float32), np.inf),
        np.zeros((2, 2)),
        np.zeros(9, np.int64),
    ],
    ids=["one NaN", "many NaN", "infinity at the end", "two dimensions", "int64"],
)
@pytest.mark.parametrize("config", [CONFIGS["python_speech_features"], CONFIGS["deltas"]])
def test_stream_when_a_block_is_refused_then_it_goes_on_as_if_it_had_not_come(bad, config):
    signal = noise(N, 2).astype(np.float32)
    stream = StreamingMfcc(config)
    parts = [stream.push(signal[:3_100])]
    with pytest.raises(SignalError):
        stream.push(bad)
    parts += [stream.push(signal[3_100:]), stream.flush()]
    assert np.array_equal(np.concatenate(parts), mfcc(signal, config))


def test_stream_when_an_empty_block_comes_then_nothing_changes():
    stream = StreamingMfcc(MfccConfig())
    assert stream.push(np.empty(0, np.float32)).shape == (0, 40)
    assert stream.push(np.empty(0, np.int16)).shape == (0, 40)
    assert stream.flush().shape == (0, 40)
