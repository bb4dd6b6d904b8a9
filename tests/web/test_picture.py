"""The picture of a recording: what is sent of it, and that it is what the front end hears."""

import base64

import numpy as np
from support.sound import DEMO_SPEECH, RATE

from edge.audio.files import read_file
from edge.frontend.mfcc import log_mel
from edge.frontend.mfcc_config import MfccConfig
from edge.frontend.pitch import MIDDLE_HZ
from edge.web.picture import MOST_COLUMNS, RANGE_DB, draw, picture_of

CONFIG = MfccConfig()


def levels_of(picture):
    return np.frombuffer(base64.b64decode(picture.levels), np.uint8).reshape(picture.columns, picture.bands)


def look():
    """Nobody wants it to stop."""


def test_draw_when_sound_goes_through_in_pieces_then_it_shows_the_front_ends_energies_in_decibels():
    sound = read_file(DEMO_SPEECH)[: 3 * RATE]
    picture = draw(sound, CONFIG, look, piece=1_000)
    decibels = log_mel(sound, CONFIG) * (10.0 / np.log(10.0))

    assert picture.column_s == 0.01
    assert abs(picture.high_db - decibels.max()) < 0.1
    shown = picture.low_db + levels_of(picture) * (RANGE_DB / 255.0)
    audible = decibels > picture.low_db + 0.5
    assert audible.any()
    assert np.abs(shown - decibels)[audible].max() < RANGE_DB / 255.0 + 0.1


def test_draw_when_a_tone_sounds_then_the_band_of_its_frequency_is_the_loudest():
    tone = 0.5 * np.sin(2 * np.pi * 1_000 * np.arange(RATE) / RATE).astype(np.float32)
    picture = draw(tone, CONFIG, look)
    loudest = int(levels_of(picture).sum(axis=0).argmax())
    assert 900 < picture.band_hz[loudest] < 1_100


def test_draw_when_the_front_end_hears_pitch_then_the_contour_is_in_hertz_and_absent_in_silence():
    pulses = np.zeros(RATE, np.float32)
    pulses[: RATE // 2 : RATE // 125] = 0.5
    picture = draw(pulses, CONFIG.replace(pitch=True), look)
    assert len(picture.pitch_hz) == picture.columns
    assert abs(np.median(list(picture.pitch_hz[10:40])) - 125) < 3
    assert set(picture.pitch_hz[60:]) == {None}


def test_draw_when_the_front_end_hears_no_pitch_then_there_is_no_contour():
    assert draw(np.zeros(RATE, np.float32), CONFIG, look).pitch_hz is None


def test_draw_when_there_is_less_than_a_frame_then_no_picture():
    assert draw(np.zeros(100, np.float32), CONFIG, look) is None


def test_picture_when_a_recording_is_long_then_columns_are_joined_and_the_loudest_of_each_is_kept():
    frames = np.full((2 * MOST_COLUMNS + 1, CONFIG.n_mels), -5.0)
    frames[1] = 0.0
    pitch = np.tile([0.0, 0.0], (len(frames), 1))
    pitch[1] = [1.0, 0.9]
    picture = picture_of(frames, pitch, CONFIG)
    assert picture.columns <= MOST_COLUMNS
    assert picture.column_s == 0.03
    levels = levels_of(picture)
    assert (levels[0] == 255).all()
    assert (levels[1:] < 255).all()
    assert picture.pitch_hz[0] == round(2 * MIDDLE_HZ)
    assert set(picture.pitch_hz[1:]) == {None}
