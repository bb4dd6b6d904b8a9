"""Against python_speech_features itself; the last frame, which it pads with zeros, is left out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.frontend.mfcc import MfccConfig, log_mel, mfcc
from edge.frontend.mfcc_config import Window

from .strategies import noise, usable

theirs = pytest.importorskip("python_speech_features")

WINDOWS = {Window.RECTANGULAR: np.ones, Window.HANN: np.hanning, Window.HAMMING: np.hamming}


@st.composite
def calls(draw):
    rate = draw(st.sampled_from([8_000, 11_025, 16_000, 22_050]))
    nfilt = draw(st.integers(1, 40))
    lowfreq = draw(st.floats(0.0, 300.0))
    return {
        "samplerate": rate,
        "winlen": draw(st.floats(0.005, 0.023)),
        "winstep": draw(st.floats(0.002, 0.005)),
        "numcep": draw(st.integers(1, nfilt)),
        "nfilt": nfilt,
        "nfft": draw(st.sampled_from([512, 600, 1_024])),
        "lowfreq": lowfreq,
        "highfreq": draw(st.none() | st.floats(lowfreq + 500.0, rate / 2)),
        "preemph": draw(st.sampled_from([0.0, 0.9, 0.97])),
        "ceplifter": draw(st.sampled_from([0, 22, 40])),
    }


@settings(max_examples=120, deadline=None)
@given(calls(), st.sampled_from(Window), st.booleans(), st.integers(0, 2**32 - 1))
def test_mfcc_when_configured_alike_then_it_equals_theirs(call, window, energy, seed):
    config = usable(MfccConfig.python_speech_features(**call, append_energy=energy, window=window))
    signal = noise(5_000, seed)
    reference = theirs.mfcc(signal, **call, appendEnergy=energy, winfunc=WINDOWS[window])
    n = config.frames_in(signal.size)
    assert n > 0
    np.testing.assert_allclose(mfcc(signal, config, np.float64), reference[:n], rtol=0, atol=1e-9)
    np.testing.assert_allclose(mfcc(signal, config), reference[:n], rtol=0, atol=1e-4)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(1e-4, 30_000.0))
def test_mfcc_when_called_with_defaults_then_it_equals_theirs_at_any_level(seed, scale):
    signal = noise(8_000, seed, scale)
    config = MfccConfig.python_speech_features()
    n = config.frames_in(signal.size)
    np.testing.assert_allclose(mfcc(signal, config, np.float64), theirs.mfcc(signal)[:n], rtol=0, atol=1e-9)


def test_mfcc_when_given_int16_then_it_equals_theirs_of_the_scaled_signal():
    integers = (noise(8_000, 1) * 32_768).astype(np.int16)
    config = MfccConfig.python_speech_features()
    n = config.frames_in(integers.size)
    np.testing.assert_allclose(
        mfcc(integers, config, np.float64), theirs.mfcc(integers / 32_768)[:n], rtol=0, atol=1e-9
    )
    np.testing.assert_allclose(
        mfcc(integers.astype(np.float64), config, np.float64), theirs.mfcc(integers)[:n], rtol=0, atol=1e-9
    )


def test_mfcc_when_the_signal_is_silent_then_it_equals_theirs():
    config = MfccConfig.python_speech_features()
    silence = np.zeros(4_000)
    n = config.frames_in(silence.size)
    np.testing.assert_allclose(mfcc(silence, config, np.float64), theirs.mfcc(silence)[:n], rtol=0, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(26, 40), st.integers(0, 2**32 - 1))
def test_log_mel_when_configured_alike_then_it_equals_their_logfbank(nfilt, seed):
    config = MfccConfig.python_speech_features(nfilt=nfilt)
    signal = noise(5_000, seed)
    n = config.frames_in(signal.size)
    reference = theirs.logfbank(signal, nfilt=nfilt)
    np.testing.assert_allclose(log_mel(signal, config, np.float64), reference[:n], rtol=0, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 5), st.integers(0, 6_000), st.integers(0, 2**32 - 1))
def test_deltas_when_computed_then_they_equal_theirs_to_both_ends(width, n_samples, seed):
    config = MfccConfig.python_speech_features().replace(delta_orders=2, delta_width=width)
    signal = noise(400 + n_samples, seed)
    ours = mfcc(signal, config, np.float64)
    coefficients = mfcc(signal, config.replace(delta_orders=0), np.float64)
    first = theirs.delta(coefficients, width)
    expected = np.hstack([coefficients, first, theirs.delta(first, width)])
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-9)
