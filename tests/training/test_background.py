"""Noise and music to put beside voices."""

import numpy as np
import pytest

from edge.frontend.mfcc import mfcc
from edge.frontend.mfcc_config import MfccConfig
from edge.frontend.tables import dct_matrix
from training.background import NOISE, Background
from training.noise import add_noise, music, pink
from training.noises import MUSIC

CONFIG = MfccConfig(pitch=True)
NOTHING = np.zeros(CONFIG.n_features, np.float32)


def log_mel(frames):
    return frames[:, : CONFIG.n_mfcc] @ dct_matrix(CONFIG).T


def test_excerpt_when_drawn_by_the_same_seed_then_it_is_the_same_and_as_long_as_asked():
    heard = Background(CONFIG, NOTHING, MUSIC)
    first, again, other = (heard.excerpt(300, np.random.default_rng(seed)) for seed in (1, 1, 2))

    assert first.power.shape == (300, CONFIG.n_mels)
    assert first.pitch.shape == (300, 2)
    assert np.isfinite(first.power).all()
    assert (first.power > 0.0).all()
    np.testing.assert_array_equal(first.power, again.power)
    assert (first.power != other.power).any()


def test_excerpt_when_the_speech_is_louder_in_a_band_then_it_is_fainter_there_relative_to_it():
    loud = np.zeros((1, CONFIG.n_mels))
    loud[0, 10] = 3.0
    speech = np.concatenate([loud[0] @ dct_matrix(CONFIG), [1.0, 0.5]]).astype(np.float32)
    plain = Background(CONFIG, NOTHING, MUSIC).excerpt(50, np.random.default_rng(0))
    relative = Background(CONFIG, speech, MUSIC).excerpt(50, np.random.default_rng(0))

    fainter = np.log(plain.power) - np.log(relative.power)
    np.testing.assert_allclose(fainter, np.broadcast_to(loud, fainter.shape), atol=1e-3)
    np.testing.assert_allclose(plain.pitch[:, 0] - relative.pitch[:, 0], 1.0, atol=1e-6)
    np.testing.assert_allclose(plain.pitch[:, 1], relative.pitch[:, 1])


def test_excerpt_when_the_front_end_hears_no_pitch_then_it_has_none():
    plain = MfccConfig()
    sound = Background(plain, np.zeros(plain.n_features, np.float32), NOISE).excerpt(
        40, np.random.default_rng(0)
    )

    assert not sound.pitch[:, 1].any()


@pytest.mark.parametrize("third", range(3), ids=["low", "middle", "high"])
def test_excerpt_when_compared_with_the_music_of_the_test_then_its_bands_move_about_as_much(third):
    rng = np.random.default_rng(0)
    drawn = Background(CONFIG, NOTHING, MUSIC)
    made = np.mean([np.log(drawn.excerpt(300, rng).power).std(axis=0) for _ in range(30)], axis=0)
    # As in P10, over a little noise: nothing is wholly silent there.
    tested = [add_noise(0.1 * music(48_000, rng), pink(48_000, rng), 40.0) for _ in range(10)]
    heard = np.mean([log_mel(mfcc(signal, CONFIG)).std(axis=0) for signal in tested], axis=0)

    ours, theirs = (np.array_split(spread, 3)[third].mean() for spread in (made, heard))
    assert 0.5 < ours / theirs < 2.0
