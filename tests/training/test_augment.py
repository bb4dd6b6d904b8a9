import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.frontend.mfcc import mfcc
from edge.frontend.mfcc_config import DctNorm, FrontendConfigError, Log, MfccConfig
from edge.frontend.tables import dct_matrix
from training.augment import Augmenter, AugmentSettings
from training.noise import pink

OFF = AugmentSettings(
    tempo=0.0, warp=0.0, gain_db=0.0, colour_db=0.0, noise_share=0.0, time_masks=0, band_masks=0, mixup=0.0
)
CONFIG = MfccConfig()
MEAN = np.linspace(-3, 3, 40).astype(np.float32)
STD = np.linspace(0.5, 4, 40).astype(np.float32)
SPEECH = mfcc(0.1 * pink(32_000, np.random.default_rng(0)), CONFIG).mean(axis=0)


def clips(*lengths, seed=0):
    rng = np.random.default_rng(seed)
    return [(MEAN + STD * rng.standard_normal((n, 40))).astype(np.float32) for n in lengths]


def targets(n, labels=4):
    return np.eye(labels, dtype=np.float32)[np.arange(n) % labels]


def augment(parts, n_frames=60, seed=0, **changes):
    augmenter = Augmenter(
        CONFIG,
        msgspec.structs.replace(OFF, **changes),
        n_frames,
        MEAN,
        STD,
        np.random.default_rng(seed),
        SPEECH,
    )
    return augmenter.batch(parts, targets(len(parts)))


def test_augment_when_all_is_off_then_a_short_clip_is_its_own_normalised_window():
    parts = clips(1, 2, 30, 60)
    windows, same = augment(parts)

    np.testing.assert_array_equal(same, targets(4))
    for part, window in zip(parts, windows, strict=True):
        np.testing.assert_allclose(window[: len(part)], (part - MEAN) / STD, atol=2e-4)
        assert not window[len(part) :].any()


def test_augment_when_all_is_off_then_a_long_clip_gives_a_stretch_of_itself():
    ramp = np.linspace(0, 1, 200)[:, None] * np.ones(40) * STD + MEAN
    (window,), _ = augment([ramp.astype(np.float32)])

    # A stretch begins between two frames, so each frame is a mean of two neighbours.
    np.testing.assert_allclose(np.diff(window, axis=0), 1 / 199, atol=2e-4)
    assert window.min() >= -2e-4
    assert window.max() <= 1 + 2e-4


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(1, 150), min_size=1, max_size=6),
    st.integers(8, 90),
    st.integers(0, 1_000),
    st.builds(
        AugmentSettings,
        tempo=st.floats(0, 0.5),
        warp=st.floats(0, 0.3),
        gain_db=st.floats(0, 30),
        colour_db=st.floats(0, 6),
        noise_share=st.floats(0, 1),
        time_masks=st.integers(0, 3),
        time_mask_frames=st.integers(0, 60),
        band_masks=st.integers(0, 3),
        band_mask_mels=st.integers(0, 60),
        mixup=st.sampled_from([0.0, 0.2, 1.0]),
    ),
)
def test_augment_when_any_strength_then_shapes_hold_and_nothing_is_nan(lengths, n_frames, seed, strength):
    augmenter = Augmenter(CONFIG, strength, n_frames, MEAN, STD, np.random.default_rng(seed), SPEECH)
    windows, mixed = augmenter.batch(clips(*lengths, seed=seed), targets(len(lengths)))

    assert windows.shape == (len(lengths), n_frames, 40)
    assert windows.dtype == np.float32
    assert np.isfinite(windows).all()
    assert mixed.shape == (len(lengths), 4)
    np.testing.assert_allclose(mixed.sum(axis=1), 1.0, atol=1e-5)
    if not strength.mixup:
        for n, window in zip(lengths, windows, strict=True):
            used = int((n - 1) / (1 - strength.tempo)) + 1
            assert not window[used:].any(), "behind the clip stands the mean of the training speech"


def test_augment_when_seed_is_the_same_then_the_same_batch():
    strong = {"tempo": 0.2, "warp": 0.1, "gain_db": 6.0, "noise_share": 0.5, "time_masks": 2, "mixup": 0.5}
    one, other, third = (augment(clips(50, 90, 20), seed=seed, **strong) for seed in (3, 3, 4))

    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_array_equal(one[1], other[1])
    assert np.abs(one[0] - third[0]).max() > 0.1


def test_augment_when_mixed_then_targets_and_windows_in_the_same_shares():
    parts = [MEAN + STD * level * np.ones((60, 1), np.float32) for level in (0.0, 1.0, 2.0, 3.0)]
    windows, mixed = augment(parts, mixup=1.0)

    # Each window is flat at the level that its targets say.
    levels = mixed @ np.arange(4, dtype=np.float32)
    np.testing.assert_allclose(windows, np.broadcast_to(levels[:, None, None], windows.shape), atol=2e-3)
    assert ((mixed > 0.01) & (mixed < 0.99)).any()


def test_augment_when_masked_in_time_then_at_most_so_many_frames_are_blank():
    parts = clips(*[60] * 40)
    plain, _ = augment(parts)
    masked, _ = augment(parts, time_masks=1, time_mask_frames=10)
    changed = (np.abs(masked - plain).max(axis=2) > 1e-2).sum(axis=1)

    assert changed.max() <= 10
    assert changed.max() >= 7
    assert (changed > 0).mean() > 0.6


def test_augment_when_gain_then_only_the_level_moves():
    parts = clips(60)
    louder, _ = augment(parts, gain_db=20.0, seed=5)
    plain, _ = augment(parts, seed=5)
    difference = (louder - plain) * STD

    # All mel bands up by as much: a constant in the first coefficient alone.
    assert np.abs(difference[..., 0]).min() > 0.1
    np.testing.assert_allclose(difference[..., 0], difference[0, 0, 0], atol=1e-3)
    np.testing.assert_allclose(difference[..., 1:], 0.0, atol=1e-3)


def test_augment_when_noise_is_weak_then_loud_speech_keeps_its_shape_and_silence_is_filled():
    log_mel = np.full((60, 40), -2.0) + np.sin(np.arange(40))
    log_mel[30:] = -20.0
    part = (log_mel @ dct_matrix(CONFIG)).astype(np.float32)
    plain, _ = augment([part])
    noisy, _ = augment([part], noise_share=1.0, noise_snr_db=(20.0, 20.0))
    change = ((noisy - plain)[0] * STD) @ dct_matrix(CONFIG).T

    # The window keeps its mean, so that what the silence rises by is divided between both halves.
    rise = change[30:].mean() - change[:30].mean()
    assert rise > 5
    np.testing.assert_allclose(change[:30].mean(), -rise / 2, atol=0.3)
    assert np.abs(change[:30] - change[:30].mean(axis=0)).max() < 0.5


@pytest.mark.parametrize(
    "fields",
    [
        {"n_mfcc": 13},
        {"lifter": 22},
        {"energy": True},
        {"delta_orders": 1},
        {"log": Log.DECIBEL},
        {"dct_norm": DctNorm.HTK},
        {"sample_rate": 8_000, "fmax": 4_000.0},
    ],
    ids=str,
)
def test_augment_when_the_dct_cannot_be_undone_then_refused(fields):
    with pytest.raises(FrontendConfigError):
        Augmenter(MfccConfig(**fields), OFF, 60, MEAN, STD, np.random.default_rng(0), SPEECH)


@pytest.mark.parametrize(
    "fields",
    [
        {"tempo": 1.0},
        {"warp": -0.1},
        {"noise_share": 1.1},
        {"noise_snr_db": (20.0, 10.0)},
        {"voices_share": 2.0},
        {"rooms_share": -0.5},
        {"rt60_s": (0.0, 0.5)},
        {"time_masks": -1},
    ],
    ids=str,
)
def test_augment_settings_when_they_make_no_sense_then_refused(fields):
    with pytest.raises(ValueError, match=next(iter(fields)).split("_")[-1]):
        AugmentSettings(**fields)
