import msgspec
import numpy as np
import pytest

from edge.frontend.mfcc_config import MfccConfig
from training.augment import Augmenter, AugmentSettings
from training.pitch_variation import vary_pitch

STILL = AugmentSettings(
    tempo=0.0,
    warp=0.0,
    gain_db=0.0,
    colour_db=0.0,
    noise_share=0.0,
    time_masks=0,
    band_masks=0,
    pitch_octaves=0.0,
    voicing=0.0,
    unpitched_share=0.0,
)
"""Nothing but the jitter"""

JITTER = 0.2
"""No jitter of some thousand is as large"""

MEAN = np.array([0.3, 0.6], np.float32)
PITCHED = MfccConfig(pitch=True)


def varied(pitch, seed=0, **changes):
    changed = pitch.astype(np.float32)
    vary_pitch(changed, MEAN, msgspec.structs.replace(STILL, **changes), np.random.default_rng(seed))
    return changed


def contours(n=20, n_frames=100, seed=1):
    """Pitch that wanders, voicing from 0 to 1."""
    rng = np.random.default_rng(seed)
    octaves = np.cumsum(rng.normal(0.0, 0.05, (n, n_frames)), axis=1)
    return np.stack([octaves, rng.uniform(0.0, 1.0, octaves.shape)], axis=2).astype(np.float32)


def clips(n_features, *lengths, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal((n, n_features)).astype(np.float32) for n in lengths]


def augmented(frontend, parts, settings, seed=0):
    mean, std = np.zeros(frontend.n_features, np.float32), np.ones(frontend.n_features, np.float32)
    if frontend.pitch:
        mean[40:] = MEAN
    augmenter = Augmenter(frontend, settings, 60, mean, std, np.random.default_rng(seed), mean)
    return augmenter.batch(parts, np.eye(3, dtype=np.float32)[np.arange(len(parts)) % 3])[0]


def test_pitch_when_all_is_off_then_nothing_changes_but_by_the_jitter_of_a_tracker():
    pitch = contours()
    off = varied(pitch) - pitch

    assert 0.0 < np.abs(off).max() < JITTER
    assert abs(off.mean()) < 0.005
    assert abs(np.corrcoef(off[:, 1:, 0].ravel(), off[:, :-1, 0].ravel())[0, 1]) < 0.1


def test_pitch_when_shifted_then_each_window_by_its_own_constant():
    pitch = contours(200)
    shifts = (varied(pitch, pitch_octaves=1.0) - pitch)[..., 0]

    assert np.std(shifts, axis=1).max() < 0.1
    assert 0.8 < np.std(shifts.mean(axis=1)) < 1.2


def test_voicing_when_varied_then_each_window_by_its_own_constant_and_the_pitch_stays():
    pitch = contours(200)
    off = varied(pitch, voicing=1.0) - pitch

    assert np.abs(off[..., 0]).max() < JITTER
    assert np.std(off[..., 1], axis=1).max() < 0.1
    assert 0.8 < np.std(off[..., 1].mean(axis=1)) < 1.2


def test_pitch_when_every_window_is_unpitched_then_it_is_the_mean_at_every_moment():
    assert np.array_equal(varied(contours(), unpitched_share=1.0), np.broadcast_to(MEAN, (20, 100, 2)))


def test_pitch_when_some_windows_are_unpitched_then_about_so_many_and_the_others_keep_theirs():
    pitch = contours(400, 20)
    changed = varied(pitch, unpitched_share=0.25)
    flat = (changed == MEAN).all(axis=(1, 2))

    assert 0.15 < flat.mean() < 0.35
    np.testing.assert_allclose(changed[~flat], pitch[~flat], atol=JITTER)


def test_pitch_when_the_seed_is_the_same_then_so_is_the_result():
    settings = {"pitch_octaves": 0.1, "voicing": 0.1, "unpitched_share": 0.3}
    one, other, third = (varied(contours(), seed=seed, **settings) for seed in (3, 3, 4))

    assert np.array_equal(one, other)
    assert not np.array_equal(one, third)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"tempo": 0.2, "warp": 0.1, "gain_db": 6.0, "colour_db": 2.0},
        {f"{what}_share": 1.0 for what in ("noise", "voices", "music", "rooms")},
        {"time_masks": 2, "band_masks": 2},
    ],
    ids=["nothing", "the voice", "its surroundings", "masks"],
)
def test_augmenter_when_pitch_stands_beside_then_the_coefficients_are_what_they_are_without_it(changes):
    settings = msgspec.structs.replace(STILL, **changes)
    parts = clips(42, 50, 90, 20, 61)
    pitched = augmented(PITCHED, parts, settings)
    plain = augmented(MfccConfig(), [part[:, :40] for part in parts], settings)

    assert pitched.shape == (4, 60, 42)
    np.testing.assert_array_equal(pitched[..., :40], plain)


def test_augmenter_when_all_is_off_then_pitch_goes_through_as_it_is_and_behind_the_clip_is_nothing():
    parts = clips(42, 30, 60)
    windows = augmented(PITCHED, parts, STILL)

    for part, window in zip(parts, windows, strict=True):
        np.testing.assert_allclose(window[: len(part), 40:], part[:, 40:] - MEAN, atol=JITTER)
        assert not window[len(part) :].any()


def test_augmenter_when_the_tempo_changes_then_pitch_goes_along_with_the_coefficients():
    ramp = np.linspace(0, 4, 200)[:, None] * np.ones(42)
    (window,) = augmented(PITCHED, [ramp.astype(np.float32)], msgspec.structs.replace(STILL, tempo=0.5))

    np.testing.assert_allclose(window[:, 40:] + MEAN, window[:, 20:22], atol=JITTER)


def test_augmenter_when_noise_is_far_louder_than_the_voice_then_its_pitch_is_gone():
    parts = clips(42, *[60] * 20)
    for part in parts:
        part[:, 40] *= 3.0
        part[:, 41] = 1.0
    loud = msgspec.structs.replace(STILL, noise_share=1.0, noise_snr_db=(-30.0, -30.0))
    windows = augmented(PITCHED, parts, loud)

    # The voice's went up and down by 3 octaves; the peaks of noise count for little, and come and go.
    assert np.std(windows[..., 40], axis=1).mean() < 0.5
    assert np.std(windows[..., 41], axis=1).mean() < 0.2


@pytest.mark.parametrize(
    "fields", [{"pitch_octaves": -0.1}, {"voicing": -0.1}, {"unpitched_share": 1.1}], ids=str
)
def test_settings_when_they_make_no_sense_then_refused(fields):
    with pytest.raises(ValueError, match=next(iter(fields)).rpartition("_")[-1]):
        AugmentSettings(**fields)
