"""Which pitch is found where several sounds are heard at once."""

import numpy as np
import pytest

from training.found_pitch import Contours, Sound, absolute, found

N_MELS = 40


def sound(power, octaves, voicing):
    """As loud in every band, at each moment."""
    power, octaves, voicing = np.broadcast_arrays(*np.atleast_1d(power, octaves, voicing))
    return Sound(
        np.repeat(power[:, None].astype(float), N_MELS, axis=1), np.stack([octaves, voicing], axis=1)
    )


def together(*sounds):
    n = max(len(one.power) for one in sounds)
    sounds = [
        Sound(np.broadcast_to(one.power, (n, N_MELS)), np.broadcast_to(one.pitch, (n, 2))) for one in sounds
    ]
    return found(sounds, np.sum([one.power for one in sounds], axis=0))


def followed(pitch, *found_in):
    """Columns of a batch after windows, all of them sound, were heard so."""
    pitch = np.asarray(pitch, np.float32)
    contours = Contours(pitch)
    for window, heard in enumerate(found_in):
        contours.hear(window, np.ones(pitch.shape[1], np.bool_), heard)
    contours.follow()
    return pitch


def test_found_when_the_voice_is_alone_then_it_is_as_it_was():
    voice = sound([1.0, 5.0, 0.1], [0.2, 0.3, -0.4], [0.9, 0.1, 0.5])
    heard = together(voice)

    np.testing.assert_array_equal(heard.octaves, [0.2, 0.3, -0.4])
    np.testing.assert_array_equal(heard.voicing, [0.9, 0.1, 0.5])
    np.testing.assert_array_equal(heard.follow, 1.0)


def test_voicing_when_noise_is_added_then_it_falls_by_the_voices_share_of_the_power():
    heard = together(sound(3.0, 0.2, 0.8), sound([0.0, 1.0, 3.0, 9.0], 1.0, 0.0))

    np.testing.assert_allclose(heard.voicing, 0.8 * np.array([1.0, 0.75, 0.5, 0.25]))
    np.testing.assert_array_equal(heard.octaves, 0.2)


def test_found_when_another_sound_is_louder_or_more_periodic_then_it_is_that_ones_pitch():
    voice = sound(1.0, 0.0, [0.9, 0.9, 0.2])
    heard = together(voice, sound([0.5, 2.0, 0.5], 0.7, 0.8))

    np.testing.assert_array_equal(heard.octaves, [0.0, 0.7, 0.7])
    np.testing.assert_allclose(heard.voicing, [0.6, 0.8 * 2 / 3, 0.8 / 3])


def test_found_when_the_other_sound_is_far_above_the_bands_of_pitch_then_the_voices_stays():
    voice, hiss = sound(1.0, 0.2, 0.9), sound(1.0, 0.9, 0.9)
    hiss.power[:, : N_MELS // 2] = 0.0
    hiss.power[:, N_MELS // 2 :] = 1e6

    assert together(voice, hiss).octaves == pytest.approx(0.2)
    assert together(voice, hiss).voicing == pytest.approx(0.9)


def test_contour_when_noise_hides_the_voice_then_it_stands_where_the_voice_was_last_heard():
    octaves = np.linspace(0.0, 0.5, 90)
    loud = np.where((np.arange(90) >= 30) & (np.arange(90) < 60), 50.0, 0.0)
    heard = together(sound(1.0, octaves, 0.9), sound(loud, 2.0, 0.1))
    contour = followed(np.stack([octaves, np.full(90, 0.3)], axis=1)[None], heard)[0, :, 0]
    contour += octaves[0] - contour[0]

    np.testing.assert_allclose(contour[:30], octaves[:30], atol=1e-6)
    np.testing.assert_allclose(contour[30:60], octaves[29], atol=1e-6)
    np.testing.assert_allclose(contour[60:], octaves[60:], atol=1e-6)


def test_contour_when_another_sound_takes_over_then_it_goes_there_in_some_frames_and_slower_by_a_leap():
    other = np.r_[np.zeros(10), np.full(30, 100.0)]

    def taken_over(octaves):
        heard = together(sound(1.0, 0.0, 0.9), sound(other, octaves, 0.95))
        contour = followed(np.zeros((1, 40, 2)), heard)[0, :, 0]
        return (contour - contour[0]) / octaves

    near, far = taken_over(0.4), taken_over(1.4)
    for contour in (near, far):
        np.testing.assert_allclose(contour[:10], 0.0, atol=1e-6)
        assert 0.0 < contour[10] < 1.0
        assert contour[-1] == pytest.approx(1.0, abs=0.01)
    assert far[10] < 0.5 * near[10]


def test_contours_when_a_window_was_not_changed_then_it_stays_and_the_changed_one_keeps_its_means():
    pitch = np.random.default_rng(0).normal(0.0, 0.3, (2, 50, 2))
    heard = together(sound(1.0, pitch[0, :, 0], 0.5), sound(2.0, np.linspace(-1, 1, 50), 0.9))
    changed = followed(pitch, heard)

    np.testing.assert_array_equal(changed[1], pitch[1].astype(np.float32))
    assert np.abs(changed[0] - pitch[0]).max() > 0.2
    np.testing.assert_allclose(changed[0].mean(axis=0), pitch[0].mean(axis=0), atol=1e-5)


def test_absolute_when_the_voicing_is_far_from_usual_then_it_is_from_0_to_1():
    np.testing.assert_allclose(absolute(np.array([[0.3, -2.0], [-0.3, 2.0]])), [[0.3, 0.0], [-0.3, 1.0]])
