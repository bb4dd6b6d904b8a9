"""Against librosa itself."""

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from edge.frontend.mfcc import FrontendConfigError, MfccConfig, mfcc

from .strategies import noise, usable

librosa = pytest.importorskip("librosa")


@st.composite
def calls(draw):
    rate = draw(st.sampled_from([8_000, 16_000, 22_050]))
    n_fft = draw(st.sampled_from([256, 400, 512, 1_024, 2_048]))
    n_mels = draw(st.integers(1, 64))
    fmin = draw(st.floats(0.0, 300.0))
    return {
        "sr": rate,
        "n_mfcc": draw(st.integers(1, n_mels)),
        "n_fft": n_fft,
        "hop_length": draw(st.integers(64, n_fft // 2)),
        "win_length": draw(st.none() | st.integers(n_fft // 2, n_fft)),
        "n_mels": n_mels,
        "fmin": fmin,
        "fmax": draw(st.none() | st.floats(fmin + 500.0, rate / 2)),
        "htk": draw(st.booleans()),
        "lifter": draw(st.sampled_from([0, 22])),
    }


def theirs(signal, call, center):
    """Without their cut at 80 dB below the loudest band: now and then a band of noise is as empty as that."""
    of_cepstra = {name: value for name, value in call.items() if name in {"n_mfcc", "lifter"}}
    of_bands = {name: value for name, value in call.items() if name not in of_cepstra}
    bands = librosa.feature.melspectrogram(y=signal.astype(np.float32), **of_bands, center=center)
    return librosa.feature.mfcc(S=librosa.power_to_db(bands, top_db=None), **of_cepstra).T


def agree(signal, call, center=True):
    config = MfccConfig.librosa(**call, center=center)
    reference = theirs(signal, call, center)
    n = config.frames_in(signal.size)
    assert 0 < n <= len(reference)
    for samples in (signal.astype(np.float32), signal):
        np.testing.assert_allclose(mfcc(samples, config), reference[:n], rtol=0, atol=1e-3)


NEARLY_EMPTY_BAND = {
    "sr": 8_000, "n_mfcc": 1, "n_fft": 256, "hop_length": 103, "win_length": 163, "n_mels": 60,
    "fmin": 0.0, "fmax": None, "htk": True, "lifter": 0,
}  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(calls(), st.integers(0, 2**32 - 1))
@example(NEARLY_EMPTY_BAND, 208)
def test_mfcc_when_configured_alike_then_it_equals_theirs(call, seed):
    usable(MfccConfig.librosa(**call))
    agree(noise(6_000, seed), call)


@settings(max_examples=30, deadline=None)
@given(calls(), st.integers(0, 2**32 - 1))
def test_mfcc_when_frames_are_not_centred_then_it_equals_theirs(call, seed):
    assume(call["win_length"] in (None, call["n_fft"]))
    usable(MfccConfig.librosa(**call))
    agree(noise(6_000, seed), call, center=False)


@pytest.mark.parametrize("htk", [False, True])
def test_mfcc_when_called_with_defaults_then_it_equals_theirs(htk):
    signal = noise(22_050, 1)
    agree(signal, {"htk": htk})
    np.testing.assert_allclose(
        theirs(signal, {"htk": htk}, center=True),
        librosa.feature.mfcc(y=signal.astype(np.float32), htk=htk).T,
        atol=1e-4,
    )


def test_mfcc_when_louder_than_their_80_db_range_then_it_equals_theirs_without_the_clip():
    signal = noise(16_000, 2)
    signal[8_000:] *= 1e-6
    agree(signal, {})


def test_config_when_a_short_window_is_not_centred_then_it_is_refused():
    with pytest.raises(FrontendConfigError, match="center"):
        MfccConfig.librosa(n_fft=2_048, win_length=1_024, center=False)
