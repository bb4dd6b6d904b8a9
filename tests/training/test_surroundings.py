"""Rooms, voices and noise on log mel energies."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.augment import AugmentSettings
from training.surroundings import in_room, surround

HOP_S = 0.01
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


def surrounded(mel, inside, seed=1, **changes):
    heard = mel.copy()
    surround(heard, inside, msgspec.structs.replace(QUIET, **changes), HOP_S, np.random.default_rng(seed))
    return heard


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
        rooms_share=st.floats(0, 1),
        noise_snr_db=st.just((-10.0, 40.0)),
        rt60_s=st.just((0.05, 2.0)),
    ),
)
def test_surround_when_anything_is_added_then_each_window_keeps_its_mean_and_what_is_no_sound(
    lengths, seed, strength
):
    mel, inside = speech(*lengths, seed=seed)
    heard = mel.copy()
    surround(heard, inside, strength, HOP_S, np.random.default_rng(seed))

    assert np.isfinite(heard).all()
    np.testing.assert_array_equal(heard[~inside], mel[~inside])
    for before, after, own in zip(mel, heard, inside, strict=True):
        np.testing.assert_allclose(after[own].mean(axis=0), before[own].mean(axis=0), atol=1e-3)


@pytest.mark.parametrize("what", ["noise", "voices"])
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
