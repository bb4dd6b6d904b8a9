"""Against TensorFlow's tf.signal itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.frontend.mfcc import MfccConfig, mfcc

from .strategies import noise, usable

tf = pytest.importorskip("tensorflow")


def tf_mfcc(
    signal,
    sample_rate=16_000,
    frame_length=1_024,
    frame_step=256,
    fft_length=1_024,
    num_mel_bins=80,
    lower_edge_hertz=80.0,
    upper_edge_hertz=7_600.0,
    n_mfcc=13,
    log_offset=1e-6,
):
    """The example in TensorFlow's documentation of mfccs_from_log_mel_spectrograms."""
    stfts = tf.signal.stft(signal, frame_length, frame_step, fft_length)
    weights = tf.signal.linear_to_mel_weight_matrix(
        num_mel_bins, stfts.shape[-1], sample_rate, lower_edge_hertz, upper_edge_hertz
    )
    mels = tf.tensordot(tf.abs(stfts), weights, 1)
    return tf.signal.mfccs_from_log_mel_spectrograms(tf.math.log(mels + log_offset))[..., :n_mfcc].numpy()


@st.composite
def calls(draw):
    rate = draw(st.sampled_from([8_000, 16_000, 22_050]))
    fft_length = draw(st.sampled_from([256, 400, 512, 1_024]))
    num_mel_bins = draw(st.integers(1, 64))
    lower = draw(st.floats(20.0, 300.0))
    return {
        "sample_rate": rate,
        "frame_length": draw(st.integers(fft_length // 2, fft_length)),
        "frame_step": draw(st.integers(64, 128)),
        "fft_length": fft_length,
        "num_mel_bins": num_mel_bins,
        "lower_edge_hertz": lower,
        "upper_edge_hertz": draw(st.floats(lower + 500.0, rate / 2)),
        "n_mfcc": draw(st.integers(1, num_mel_bins)),
        "log_offset": draw(st.sampled_from([1e-6, 1e-3])),
    }


@settings(max_examples=60, deadline=None)
@given(calls(), st.integers(0, 2**32 - 1))
def test_mfcc_when_configured_alike_then_it_equals_theirs(call, seed):
    config = usable(MfccConfig.tf_signal(**call))
    signal = noise(5_000, seed).astype(np.float32)
    reference = tf_mfcc(signal, **call)
    assert config.frames_in(signal.size) == len(reference)
    np.testing.assert_allclose(mfcc(signal, config), reference, rtol=0, atol=1e-3)


def test_mfcc_when_called_with_the_documented_values_then_it_equals_theirs():
    signal = noise(16_000, 1).astype(np.float32)
    np.testing.assert_allclose(mfcc(signal, MfccConfig.tf_signal()), tf_mfcc(signal), rtol=0, atol=1e-3)
