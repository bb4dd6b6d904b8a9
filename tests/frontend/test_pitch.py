import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge.frontend.mfcc import MfccConfig, mfcc
from edge.frontend.pitch import FASTEST, LEAP_SHARE

from .pitched import CONFIG, RATE, SEMITONE, VOWELS, heard, inner, octaves, silence, voice, whisper


def test_frame_when_a_voice_begins_then_pitch_is_of_the_same_moment_as_the_mfccs():
    signal = np.concatenate([silence(0.5), voice(200, 0.5)])
    frames = mfcc(signal, CONFIG)
    loud = np.flatnonzero(np.diff(frames[:, 0]) > 1)[0]
    voiced = np.flatnonzero(frames[:, 41] > 0.5)[0]

    assert 0 <= voiced - loud <= 3


@pytest.mark.parametrize("vowel", VOWELS)
@pytest.mark.parametrize("hertz", [70, 85, 110, 150, 185, 220, 270, 330, 400, 470, 550])
def test_pitch_when_a_voice_stands_then_it_is_found_in_every_frame(hertz, vowel):
    pitch, voicing = heard(voice(hertz, vowel=vowel))

    assert np.abs(inner(pitch) - octaves(hertz)).max() < 0.5 * SEMITONE
    assert inner(voicing).min() > 0.8


@pytest.mark.parametrize("hertz", [70, 125, 210, 300, 430])
def test_pitch_when_pulses_ring_in_a_mouth_then_their_rate_is_found(hertz):
    """All harmonics are alike in a pulse train, the fundamental is no stronger than the others."""
    pitch, voicing = heard(voice(hertz, vowel="i", falling=0.0))

    assert np.abs(inner(pitch) - octaves(hertz)).max() < 0.5 * SEMITONE
    assert inner(voicing).min() > 0.8


def test_pitch_when_the_fundamental_is_missing_as_on_a_telephone_then_it_is_found_all_the_same():
    signal = voice(120, vowel="a", falling=0.5)
    spectrum = np.fft.rfft(signal)
    spectrum[np.fft.rfftfreq(signal.size, 1 / RATE) < 200] = 0
    pitch, _ = heard(np.fft.irfft(spectrum, signal.size))

    assert np.abs(inner(pitch) - octaves(120)).max() < 0.5 * SEMITONE


@settings(max_examples=10)
@example(middle=364.0, semitones=3.0, per_second=1.0, vowel="a", down=False)
@given(
    st.floats(90, 380),
    st.floats(1, 5),
    st.floats(0.5, 2.0),
    st.sampled_from(list(VOWELS)),
    st.booleans(),
)
def test_pitch_when_a_voice_glides_then_the_contour_follows_and_never_leaps_an_octave(
    middle, semitones, per_second, vowel, down
):
    time = np.arange(RATE) / RATE
    swing = np.sin(2 * np.pi * per_second * time) * (-1 if down else 1)
    hertz = middle * 2 ** (semitones * SEMITONE * swing)
    pitch, _ = heard(voice(hertz, 1.0, vowel))
    middles = np.arange(len(pitch)) * CONFIG.hop_length
    off = inner(pitch - octaves(hertz[middles]))

    # Now and then an octave below is taken for the pitch, for a frame: so far the contour goes, and back.
    assert np.abs(off).max() < FASTEST * LEAP_SHARE + 0.5 * SEMITONE
    assert np.sum(np.abs(off) > SEMITONE) <= 2
    assert np.median(np.abs(off)) < 0.5 * SEMITONE


def test_pitch_when_noise_lies_under_the_voice_then_it_is_found_and_voicing_falls_with_the_noise():
    clear = voice(160, 1.0)
    hiss = np.random.default_rng(1).standard_normal(clear.size)
    hiss *= np.sqrt(np.mean(clear**2) / np.mean(hiss**2))
    medians = []
    for snr_db in (40, 10, 0):
        pitch, voicing = heard(clear + hiss * 10 ** (-snr_db / 20))
        medians.append(float(np.median(inner(voicing))))
        assert np.median(np.abs(inner(pitch) - octaves(160))) < 0.5 * SEMITONE

    assert medians[0] > medians[1] > medians[2]


@pytest.mark.parametrize("gain_db", [-10, -20, -40])
def test_pitch_when_the_sound_is_fainter_then_the_contour_stays_and_voicing_hardly_moves(gain_db):
    signal = np.concatenate([voice(140), whisper(), voice(230, vowel="u")]) / 0.3
    loud_pitch, loud_voicing = heard(signal)
    pitch, voicing = heard(signal * 10 ** (gain_db / 20))

    assert np.abs(pitch - loud_pitch).max() < 0.2 * SEMITONE
    assert np.abs(voicing - loud_voicing).max() < 0.05


@pytest.mark.parametrize("vowel", VOWELS)
def test_voicing_when_somebody_whispers_then_it_is_low(vowel):
    _, whispered = heard(whisper(2.0, vowel))
    _, spoken = heard(voice(150, 2.0, vowel))

    assert np.median(inner(whispered)) < 0.5
    assert np.mean(inner(whispered) < inner(spoken)) > 0.95


def test_pitch_when_silence_follows_the_voice_then_voicing_is_0_and_the_contour_stands():
    pitch, voicing = heard(np.concatenate([voice(250), silence(1.0)]))
    after = slice(-80, None)

    assert not voicing[after].any()
    assert np.ptp(pitch[after]) == 0.0
    assert abs(pitch[-1] - octaves(250)) < SEMITONE


def test_pitch_when_only_a_faint_hum_fills_the_pauses_then_the_contour_stays_with_the_voice():
    words = np.concatenate([voice(240), silence(0.6), voice(260), silence(0.6)])
    hum = voice(100, words.size / RATE, "flat") * 10 ** (-45 / 20)
    clean, _ = heard(words)
    pitch, voicing = heard(words + hum)

    assert voicing[90:110].max() < 0.5
    assert np.abs(pitch - clean)[20:].max() < SEMITONE


def test_pitch_when_nobody_spoke_yet_then_the_contour_is_0_and_begins_at_the_voice():
    hertz = 370
    pitch, voicing = heard(np.concatenate([silence(0.5), voice(hertz, 0.5)]))
    first = np.flatnonzero(pitch)[0]

    assert not pitch[:first].any()
    assert not voicing[:40].any()
    assert first >= 45
    assert abs(pitch[first] - octaves(hertz)) < SEMITONE


def test_pitch_when_all_is_silent_then_nothing_is_said():
    for signal in (np.zeros(RATE, np.float32), np.zeros(RATE, np.int16)):
        pitch, voicing = heard(signal)
        assert len(pitch) == 98
        assert not pitch.any()
        assert not voicing.any()


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100])
@pytest.mark.parametrize("hertz", [80, 200, 450])
def test_pitch_when_sampled_at_another_rate_then_it_is_found(rate, hertz):
    hop = rate // 100
    config = MfccConfig(
        sample_rate=rate,
        frame_length=5 * hop // 2,
        hop_length=hop,
        n_fft=2_048,
        fmax=rate / 2,
        n_mels=20,
        n_mfcc=20,
        pitch=True,
    )
    signal = voice(hertz, 0.6, rate=rate)
    frames = mfcc(signal, config)

    assert frames.shape == (config.frames_in(signal.size), 22)
    assert np.abs(inner(frames[:, 20]) - octaves(hertz)).max() < 0.5 * SEMITONE
    assert inner(frames[:, 21]).min() > 0.8
