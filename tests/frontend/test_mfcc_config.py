import copy
import dataclasses
import json
import pickle

import numpy as np
import pytest

from edge.frontend.mfcc import FrontendConfigError, MfccConfig, StreamingMfcc, log_mel, mfcc
from edge.frontend.mfcc_config import Log, MelScale, MelShape, Window
from edge.frontend.tables import dct_matrix, hertz_to_mel, mel_blocks, mel_filterbank, mel_to_hertz


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"n_mfcc": 41}, "n_mfcc 41"),
        ({"n_mels": 13, "n_mfcc": 14}, "n_mfcc 14"),
        ({"fmax": 8_001.0}, "fmax 8001"),
        ({"fmin": 8_000.0}, "fmin"),
        ({"fmin": -1.0}, "fmin"),
        ({"fmax": float("nan")}, "fmax"),
        ({"fmax": float("inf")}, "fmax"),
        ({"fmax": "8000"}, "fmax"),
        ({"fmin": None}, "fmin"),
        ({"frame_length": 513}, "frame_length 513"),
        ({"frame_length": 0}, "frame_length"),
        ({"frame_length": 400.0}, "frame_length"),
        ({"frame_length": True}, "frame_length"),
        ({"hop_length": 0}, "hop_length"),
        ({"hop_length": 401}, "hop_length 401"),
        ({"hop_length": -160}, "hop_length"),
        ({"sample_rate": 0}, "sample_rate"),
        ({"n_fft": 10**9}, "n_fft"),
        ({"n_mels": 0}, "n_mels"),
        ({"n_mels": 10**6}, "n_mels"),
        ({"lead": 400}, "lead"),
        ({"preemphasis": 1.0}, "preemphasis"),
        ({"preemphasis": float("nan")}, "preemphasis"),
        ({"log_floor": 0.0}, "log_floor"),
        ({"log_floor": -1.0}, "log_floor"),
        ({"log_offset": -1.0}, "log_offset"),
        ({"log_offset": float("inf")}, "log_offset"),
        ({"lifter": -1}, "lifter"),
        ({"lifter": 10**400}, "lifter"),
        ({"delta_orders": 3}, "delta_orders"),
        ({"delta_width": 0}, "delta_width"),
        ({"window": "blackman"}, "window"),
        ({"mel_scale": "bark"}, "mel_scale"),
        ({"spectrum": None}, "spectrum"),
        ({"energy": 1}, "energy"),
        ({"periodic": "yes"}, "periodic"),
    ],
)
def test_config_when_a_value_makes_no_sense_then_the_error_names_the_field(fields, named):
    with pytest.raises(FrontendConfigError, match=named):
        MfccConfig(**fields)


@pytest.mark.parametrize("take", [mel_filterbank, StreamingMfcc, lambda config: mfcc(np.zeros(9), config)])
def test_config_when_a_filter_covers_no_bin_then_the_error_says_which_and_what_to_do(take):
    with pytest.raises(FrontendConfigError, match=r"mel filter \d+ .* covers no bin of n_fft 512: use fewer"):
        take(MfccConfig(n_mels=128))


def test_config_when_given_numpy_numbers_and_names_then_they_become_plain():
    config = MfccConfig(
        n_fft=np.int64(512), fmin=np.float32(20.0), fmax=8_000, window="hamming", log="decibel"
    )
    assert config.window is Window.HAMMING
    assert config.log is Log.DECIBEL
    assert json.loads(json.dumps(dataclasses.asdict(config)))["n_fft"] == 512
    assert MfccConfig(**json.loads(json.dumps(dataclasses.asdict(config)))) == config


def test_config_when_copied_then_it_is_equal_and_stays_a_config():
    config = MfccConfig.librosa()
    for other in (pickle.loads(pickle.dumps(config)), copy.deepcopy(config), config.replace()):
        assert type(other) is MfccConfig
        assert other == config
        assert hash(other) == hash(config)


def test_config_when_a_field_is_set_then_it_is_refused():
    with pytest.raises(dataclasses.FrozenInstanceError):
        MfccConfig().n_mels = 20


def test_replace_when_the_result_makes_no_sense_then_it_is_refused():
    with pytest.raises(FrontendConfigError, match="n_mfcc"):
        MfccConfig().replace(n_mels=20)


@pytest.mark.parametrize("scale", MelScale)
def test_mel_scale_when_inverted_then_it_gives_the_hertz_back(scale):
    hertz = np.linspace(0.0, 11_025.0, 1_000)
    np.testing.assert_allclose(mel_to_hertz(hertz_to_mel(hertz, scale), scale), hertz, atol=1e-8)


def test_mel_scale_when_asked_for_1_khz_then_it_gives_the_published_values():
    assert hertz_to_mel(1_000.0, MelScale.HTK) == pytest.approx(999.99, abs=0.01)
    assert hertz_to_mel(1_000.0, MelScale.SLANEY) == pytest.approx(15.0)


def test_filterbank_when_triangles_are_in_hertz_then_inner_bins_share_one_between_two_filters():
    bank = mel_filterbank(MfccConfig())
    inner = bank[20:240].sum(axis=1)
    np.testing.assert_allclose(inner, 1.0, atol=1e-12)


def test_dct_when_orthonormal_then_its_transpose_is_its_inverse():
    matrix = dct_matrix(MfccConfig())
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(40), atol=1e-12)


@pytest.mark.parametrize(
    "config",
    [
        MfccConfig(),
        MfccConfig(n_mels=1, n_mfcc=1),
        MfccConfig.librosa(),
        MfccConfig.librosa(htk=True),
        MfccConfig.python_speech_features(nfilt=40),
        MfccConfig.tf_signal(),
        MfccConfig(mel_shape=MelShape.BIN, n_mels=17, n_mfcc=17, fmax=3_000.0),
    ],
)
def test_blocks_when_put_together_then_they_are_the_filterbank(config):
    bank = mel_filterbank(config)
    again = np.zeros_like(bank)
    for bins, mels, table in mel_blocks(bank):
        again[bins, mels] += table
    assert np.array_equal(again, bank)


def test_energy_when_on_then_only_c0_changes_and_is_the_logarithm_of_the_spectrums_sum():
    signal = np.random.default_rng(1).standard_normal(4_000)
    config = MfccConfig(window=Window.RECTANGULAR, n_fft=512, frame_length=512)
    plain, energy = (mfcc(signal, config.replace(energy=on), np.float64) for on in (False, True))
    assert np.array_equal(plain[:, 1:], energy[:, 1:])
    frames = np.lib.stride_tricks.sliding_window_view(signal, 512)[::160]
    power = np.abs(np.fft.rfft(frames)) ** 2
    np.testing.assert_allclose(energy[:, 0], np.log(power.sum(axis=1)), rtol=1e-12)


def test_decibels_when_chosen_then_all_is_in_decibels():
    signal = np.random.default_rng(2).standard_normal(4_000)
    decibel = 10.0 / np.log(10.0)
    natural, config = MfccConfig(energy=True), MfccConfig(energy=True, log=Log.DECIBEL)
    for compute in (mfcc, log_mel):
        np.testing.assert_allclose(
            compute(signal, config, np.float64), compute(signal, natural, np.float64) * decibel, rtol=1e-12
        )
