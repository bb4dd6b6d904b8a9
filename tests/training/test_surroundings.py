"""Rooms, voices and noise on log mel energies."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.frontend.mfcc import mfcc
from edge.frontend.mfcc_config import MfccConfig
from training.augment import AugmentSettings
from training.background import NOISE, Background
from training.noise import pink
from training.noises import MUSIC
from training.surroundings import in_room, surround

HOP_S = 0.01
CONFIG = MfccConfig(pitch=True)
LIKE_SPEECH = mfcc(0.1 * pink(32_000, np.random.default_rng(0)), CONFIG).mean(axis=0)
BACKGROUNDS = {
    "noise": Background(CONFIG, LIKE_SPEECH, NOISE),
    "music": Background(CONFIG, LIKE_SPEECH, MUSIC),
}
QUIET = AugmentSettings(noise_share=0.0)


def speech(*lengths, n_frames=90, seed=0):
    """Windows of log mel energies with loud and quiet stretches, and which frames are sound."""
    rng = np.random.default_rng(seed)
    mel = np.zeros((len(lengths), n_frames, 40), np.float32)
    inside = np.zeros((len(lengths), n_frames), np.bool_)
    for i, n in enumerate(lengths):
        loud = np.repeat(rng.normal(0.0, 4.0, -(-n // 10)), 10)[:n]
        mel[i, :n] = loud[:, None] + rng.normal(0.0, 1.0, (n, 40))
        inside[i, :n] = True
    return mel, inside


def melodies(inside, seed=0):
    """Pitch and voicing about the voice's own, of windows as `speech` makes them."""
    rng = np.random.default_rng(seed)
    octaves = np.cumsum(rng.normal(0.0, 0.03, inside.shape), axis=1)
    voicing = rng.choice([-0.45, 0.35], inside.shape)
    return (np.stack([octaves, voicing], axis=2) * inside[..., None]).astype(np.float32)


def surrounded(mel, inside, seed=1, **changes):
    return heard_with_pitch(mel, melodies(inside), inside, seed, **changes)[0]


def heard_with_pitch(mel, pitch, inside, seed=1, **changes):
    heard, found = mel.copy(), pitch.copy()
    strength = msgspec.structs.replace(QUIET, **changes)
    surround(heard, found, inside, strength, HOP_S, np.random.default_rng(seed), BACKGROUNDS)
    return heard, found


def spread(mel, inside):
    return np.array([window[own].std(axis=0).mean() for window, own in zip(mel, inside, strict=True)])


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.integers(1, 90), min_size=1, max_size=5),
    st.integers(0, 1000),
    st.builds(
        AugmentSettings,
        noise_share=st.floats(0, 1),
        voices_share=st.floats(0, 1),
        music_share=st.floats(0, 1),
        rooms_share=st.floats(0, 1),
        noise_snr_db=st.just((-10.0, 40.0)),
        music_snr_db=st.just((-10.0, 40.0)),
        rt60_s=st.just((0.05, 2.0)),
    ),
)
def test_surround_when_anything_is_added_then_each_window_keeps_its_means_and_what_is_no_sound(
    lengths, seed, strength
):
    mel, inside = speech(*lengths, seed=seed)
    pitch = melodies(inside, seed)
    heard, found = mel.copy(), pitch.copy()
    surround(heard, found, inside, strength, HOP_S, np.random.default_rng(seed), BACKGROUNDS)

    for changed, was in ((heard, mel), (found, pitch)):
        assert np.isfinite(changed).all()
        np.testing.assert_array_equal(changed[~inside], was[~inside])
        for before, after, own in zip(was, changed, inside, strict=True):
            np.testing.assert_allclose(after[own].mean(axis=0), before[own].mean(axis=0), atol=1e-3)


@pytest.mark.parametrize("what", ["noise", "voices", "music"])
def test_surround_when_the_ratio_is_lower_then_less_is_left_of_the_speech(what):
    mel, inside = speech(*[90] * 12)
    left = [
        spread(surrounded(mel, inside, **{f"{what}_share": 1.0, f"{what}_snr_db": (db, db)}), inside)
        for db in (40.0, 20.0, 10.0, 0.0)
    ]

    assert np.all(np.diff([windows.mean() for windows in left]) < 0)
    assert left[-1].mean() < 0.7 * spread(mel, inside).mean()


def test_surround_when_others_speak_but_there_is_one_window_only_then_it_stays():
    mel, inside = speech(90)

    np.testing.assert_array_equal(surrounded(mel, inside, voices_share=1.0), mel)


def test_surround_when_nothing_is_added_then_not_even_the_pitch_changes():
    mel, inside = speech(90, 40)
    pitch = melodies(inside)
    heard, found = heard_with_pitch(mel, pitch, inside)

    np.testing.assert_array_equal(heard, mel)
    np.testing.assert_array_equal(found, pitch)


@pytest.mark.parametrize("what", ["noise", "voices", "music"])
def test_pitch_when_the_ratio_is_lower_then_the_voices_own_is_found_less_often(what):
    mel, inside = speech(*[90] * 40)
    pitch = melodies(inside)
    off = []
    for db in (50.0, 20.0, 5.0):
        changes = {f"{what}_share": 1.0, f"{what}_snr_db": (db, db)}
        off.append(np.abs(heard_with_pitch(mel, pitch, inside, **changes)[1] - pitch).mean(axis=(0, 1)))

    assert np.all(np.diff(off, axis=0)[:, 0] > 0)
    assert np.all(np.diff(off, axis=0)[:, 1] > 0)


def test_pitch_when_music_is_far_louder_then_it_is_that_of_the_music_and_surely_there():
    mel, inside = speech(*[90] * 40)
    level = np.zeros((*inside.shape, 2), np.float32)
    found = heard_with_pitch(mel, level, inside, music_share=1.0, music_snr_db=(-40.0, -40.0))[1]
    noisy = heard_with_pitch(mel, level, inside, noise_share=1.0, noise_snr_db=(-40.0, -40.0))[1]

    assert found[..., 0].std(axis=1).mean() > 0.3
    assert noisy[..., 0].std(axis=1).mean() < 0.5 * found[..., 0].std(axis=1).mean()


def test_surround_when_the_share_is_a_half_then_about_half_of_the_windows_change():
    mel, inside = speech(*[20] * 200, n_frames=20)
    changed = (surrounded(mel, inside, rooms_share=0.5) != mel).any(axis=(1, 2))

    assert 0.35 < changed.mean() < 0.65


@pytest.mark.parametrize("rt60_s", [0.2, 0.5, 1.0])
def test_in_room_when_a_sound_ends_then_its_tail_falls_by_60_db_in_that_time(rt60_s):
    n = round(1.5 * rt60_s / HOP_S)
    click = np.full((n, 3), 1e-12)
    click[0] = 1.0
    tail_db = 10.0 * np.log10(in_room(click, rt60_s, 0.0, HOP_S)[1:, 0])

    slope = np.polyfit(np.arange(len(tail_db)) * HOP_S, tail_db, 1)[0]
    assert slope * rt60_s == pytest.approx(-60.0, rel=0.02)


@pytest.mark.parametrize("direct_to_tail_db", [-5.0, 0.0, 10.0])
def test_in_room_when_the_tail_has_ended_then_it_had_its_share_of_the_energy(direct_to_tail_db):
    click = np.zeros((400, 2))
    click[0] = 1.0
    heard = in_room(click, 0.5, direct_to_tail_db, HOP_S)[:, 0]

    assert 10.0 * np.log10(heard[0] / heard[1:].sum()) == pytest.approx(direct_to_tail_db, abs=1e-6)
