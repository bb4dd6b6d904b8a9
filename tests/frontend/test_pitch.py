import gc
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.frontend.mfcc import FrontendConfigError, MfccConfig, SignalError, StreamingMfcc, mfcc
from edge.frontend.pitch import MIDDLE_HZ, StreamingPitch

from .strategies import cut, cuts, noise

RATE = 16_000
CONFIG = MfccConfig(pitch=True)
SEMITONE = 1 / 12
VOWELS = {"a": (700, 1_200, 2_600), "i": (300, 2_200, 3_000), "u": (350, 800, 2_400), "flat": ()}


def resonance(hertz, vowel):
    return 0.1 + sum(1 / np.hypot(1, (hertz - at) / 90) for at in vowel)


def voice(hertz, seconds=0.6, vowel="a", rate=RATE, falling=1.0):
    """Harmonics of a pitch that stands or moves, through the resonances of a mouth; peak 0.3."""
    hertz = np.broadcast_to(np.asarray(hertz, float), round(seconds * rate))
    phase = 2 * np.pi * np.cumsum(hertz) / rate
    sound = np.zeros(hertz.size)
    for k in range(1, int(0.45 * rate / hertz.max()) + 1):
        sound += k**-falling * resonance(k * hertz, VOWELS[vowel]) * np.cos(k * phase)
    return 0.3 * sound / np.abs(sound).max()


def whisper(seconds=0.6, vowel="a", seed=0):
    n = round(seconds * RATE)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(n))
    sound = np.fft.irfft(spectrum * resonance(np.fft.rfftfreq(n, 1 / RATE), VOWELS[vowel]), n)
    return 0.1 * sound / np.abs(sound).max()


def silence(seconds):
    return np.zeros(round(seconds * RATE))


def heard(signal, config=CONFIG):
    """Octaves above the middle, and voicing, of each frame."""
    frames = StreamingPitch(config).push(np.asarray(signal))
    return frames[:, 0], frames[:, 1]


def octaves(hertz):
    return np.log2(np.asarray(hertz) / MIDDLE_HZ)


def inner(values, margin=10):
    """Without the frames that hear where a sound begins or ends."""
    return values[margin:-margin]


def speech_like(seed):
    """A gliding voice, whispering, silence and noise, in an order by the seed."""
    rng = np.random.default_rng(seed)
    glide = rng.uniform(80, 400) * 2 ** np.cumsum(rng.normal(0, 2e-4, 4_800))
    parts = [voice(glide, 0.3), whisper(0.15, seed=seed), silence(0.1), noise(1_600, seed)]
    return np.concatenate([parts[i] for i in rng.permutation(4)])


def as_int16(signal):
    return np.clip(signal * 32_768, -32_768, 32_767).astype(np.int16)


@settings(max_examples=12)
@given(st.integers(0, 1_000), cuts, st.booleans())
def test_pitch_when_cut_anywhere_then_frames_equal_the_whole_bit_for_bit(seed, sizes, integers):
    sound = speech_like(seed)[:5_000]
    signal = as_int16(sound) if integers else sound.astype(np.float32)
    stream = StreamingMfcc(CONFIG, np.float64)
    parts = [stream.push(block) for block in cut(signal, sizes)]

    whole = mfcc(signal, CONFIG, np.float64)
    assert whole.shape == (CONFIG.frames_in(signal.size), 42)
    assert np.array_equal(np.concatenate([*parts, stream.flush()]), whole)


def test_pitch_when_pushed_one_sample_at_a_time_then_frames_equal_the_whole():
    signal = speech_like(1)[:3_000].astype(np.float32)
    stream = StreamingMfcc(CONFIG)
    parts = [stream.push(block) for block in cut(signal, [1])]

    assert np.array_equal(np.concatenate(parts), mfcc(signal, CONFIG))


def test_pitch_when_longer_than_any_tile_then_frames_equal_the_whole():
    signal = np.concatenate([speech_like(seed) for seed in range(20)]).astype(np.float32)
    stream = StreamingMfcc(CONFIG)
    parts = [stream.push(block) for block in cut(signal, [8_000, 1, 30_000, 513])]

    assert np.array_equal(np.concatenate(parts), mfcc(signal, CONFIG))


@settings(max_examples=10)
@given(
    st.integers(0, 1_000),
    st.integers(0, 6_000),
    st.sampled_from([{}, {"lead": 200}, {"frame_length": 512}, {"hop_length": 400}, {"preemphasis": 0.97}]),
)
def test_mfccs_when_pitch_stands_beside_them_then_they_are_what_they_are_without_it(seed, n, fields):
    signal = speech_like(seed)[:n].astype(np.float32)
    with_pitch, without = CONFIG.replace(**fields), MfccConfig(**fields)
    frames = mfcc(signal, with_pitch)

    assert (with_pitch.n_features, with_pitch.n_pitch) == (42, 2)
    assert frames.shape == (without.frames_in(n), 42)
    assert frames.dtype == np.float32
    assert np.array_equal(frames[:, :40], mfcc(signal, without))


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

    assert np.abs(off).max() < 2 * SEMITONE
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


@pytest.mark.parametrize(
    "signal",
    [
        np.full(8_000, 1.0),
        np.full(8_000, -32_768, np.int16),
        np.resize(np.array([1.0, -1.0]), 8_000),
        np.eye(1, 8_000, 4_000)[0],
        np.full(8_000, 5e-324),
        np.where(np.arange(8_000) // 40 % 2, 1.0, -1.0),
        np.resize(np.array([4.29e9, -4.29e9]), 8_000),
        noise(8_000, 1).astype(np.float16),
        noise(8_000, 1).astype(np.longdouble),
    ],
    ids=[
        "constant",
        "lowest",
        "Nyquist",
        "impulse",
        "denormals",
        "square",
        "loudest",
        "float16",
        "long double",
    ],
)
@pytest.mark.filterwarnings("error")
def test_pitch_when_the_sound_is_extreme_then_it_is_finite_and_voicing_from_0_to_1(signal):
    pitch, voicing = heard(signal)

    assert np.isfinite(pitch).all()
    assert np.abs(pitch).max() < 2.5
    assert voicing.min() >= 0.0
    assert voicing.max() <= 1.0


def test_int16_when_given_then_it_counts_as_a_fraction_of_full_scale():
    integers = as_int16(speech_like(3))

    assert np.array_equal(mfcc(integers, CONFIG), mfcc(integers / 32_768, CONFIG))


@pytest.mark.parametrize("forget", [StreamingMfcc.reset, StreamingMfcc.flush])
def test_stream_when_reset_then_it_is_as_if_new(forget):
    loud, signal = voice(500).astype(np.float32), (0.1 * speech_like(4)).astype(np.float32)
    stream = StreamingMfcc(CONFIG)
    stream.push(loud)
    forget(stream)

    assert np.array_equal(stream.push(signal), mfcc(signal, CONFIG))


@pytest.mark.parametrize("bad", [np.full(3_000, np.nan, np.float32), np.zeros((2, 2)), np.zeros(9, np.int64)])
def test_stream_when_a_block_is_refused_then_it_goes_on_as_if_it_had_not_come(bad):
    signal = speech_like(5).astype(np.float32)
    stream = StreamingMfcc(CONFIG)
    parts = [stream.push(signal[:3_100])]
    with pytest.raises(SignalError):
        stream.push(bad)
    parts.append(stream.push(signal[3_100:]))

    assert np.array_equal(np.concatenate(parts), mfcc(signal, CONFIG))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"delta_orders": 1}, "pitch cannot stand beside deltas"),
        ({"sample_rate": 7_999, "fmax": 3_999.0}, "pitch needs a sample_rate of 8000 or more, not 7999"),
        ({"pitch": 1}, "pitch is 1; it must be true or false"),
    ],
)
def test_config_when_pitch_cannot_be_computed_then_the_error_says_why(fields, message):
    with pytest.raises(FrontendConfigError, match=message):
        MfccConfig(**{"pitch": True, **fields})


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


def test_stream_with_pitch_when_it_works_in_blocks_of_any_size_then_it_does_not_grow():
    blocks = [speech_like(seed)[:n].astype(np.float32) for seed, n in enumerate((160, 1_600, 77, 4_000, 1))]
    stream = StreamingMfcc(CONFIG)
    for block in blocks:
        stream.push(block)
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(30):
            for block in blocks:
                stream.push(block)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert after - before < 100_000
