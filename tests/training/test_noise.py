import numpy as np
import pytest

from edge.audio.files import read_file
from training.conditions import CONDITIONS, NOISES, heard, make_bed, noise_of
from training.corpora import read_corpus
from training.noise import KINDS, SAMPLE_RATE, add_noise, babble_bed, excerpt, hum, pink

SECOND = SAMPLE_RATE
SNR = {condition.name: condition for condition in CONDITIONS}


def rng(seed=0):
    return np.random.default_rng(seed)


def speech(seconds=2.0, pause=1.0):
    """A tone between two silences."""
    time = np.arange(int(seconds * SECOND)) / SECOND
    silence = 1e-4 * rng(9).standard_normal(int(pause * SECOND))
    tone = 0.2 * np.sin(2 * np.pi * 300 * time)
    return np.concatenate([silence, tone, silence]).astype(np.float32)


def band_power(signal, low, high):
    spectrum = np.abs(np.fft.rfft(signal)) ** 2
    frequency = np.fft.rfftfreq(signal.size, 1 / SAMPLE_RATE)
    return spectrum[(frequency >= low) & (frequency < high)].sum()


@pytest.mark.parametrize("kind", KINDS)
def test_noise_when_made_then_of_unit_power_and_the_same_for_the_same_seed(kind):
    noise = KINDS[kind](3 * SECOND, rng())

    assert noise.shape == (3 * SECOND,)
    assert np.mean(noise**2) == pytest.approx(1.0, rel=1e-3)
    np.testing.assert_array_equal(noise, KINDS[kind](3 * SECOND, rng()))
    assert not np.array_equal(noise, KINDS[kind](3 * SECOND, rng(1)))


def test_pink_when_measured_then_each_octave_has_the_same_power():
    noise = pink(20 * SECOND, rng())
    octaves = [band_power(noise, low, 2 * low) for low in (100, 200, 400, 800, 1_600, 3_200)]

    assert max(octaves) / min(octaves) < 1.2


def test_hum_when_measured_then_its_power_is_low_and_at_multiples_of_the_mains():
    noise = hum(20 * SECOND, rng())
    near = sum(band_power(noise, 50 * k - 3, 50 * k + 3) for k in range(1, 10))

    assert near > 0.8 * band_power(noise, 0, 8_000)


def test_babble_when_made_then_it_holds_all_voices_at_one_level():
    voices = [a * np.sin(2 * np.pi * f * np.arange(SECOND) / SECOND) for a, f in ((0.5, 300), (0.01, 1_700))]
    bed = babble_bed([voice.astype(np.float32) for voice in voices], 10.0, rng())

    assert bed.shape == (10 * SECOND,)
    assert band_power(bed, 290, 310) + band_power(bed, 1_690, 1_710) > 0.95 * band_power(bed, 0, 8_000)
    assert 0.1 < band_power(bed, 290, 310) / band_power(bed, 1_690, 1_710) < 10


def test_excerpt_when_longer_than_the_bed_then_it_goes_round():
    assert excerpt(pink(100, rng()), 250, rng()).shape == (250,)


@pytest.mark.parametrize("pause", [0.5, 2.0])
@pytest.mark.parametrize("snr_db", [20.0, 5.0])
def test_add_noise_when_speech_stands_between_pauses_then_the_ratio_holds_where_it_is(snr_db, pause):
    clean = speech(pause=pause)
    noisy = add_noise(clean, pink(clean.size, rng()), snr_db)
    added = noisy - clean
    part = slice(int(pause * SECOND), int((pause + 2.0) * SECOND))

    ratio = 10 * np.log10(np.mean(clean[part] ** 2) / np.mean(added**2))
    assert ratio == pytest.approx(snr_db, abs=0.5)


def test_add_noise_when_it_would_overload_then_it_is_turned_down():
    loud = 4 * speech()

    assert np.abs(add_noise(loud, pink(loud.size, rng()), 0.0)).max() <= 1.0


def test_heard_when_clean_then_nothing_changes():
    clean = speech()

    np.testing.assert_array_equal(heard(clean, "a.wav", SNR["clean"], clean), clean)


def test_heard_when_the_ratio_falls_then_the_same_noise_is_only_louder():
    clean = 0.1 * speech()
    bed = babble_bed([speech()], 5.0, rng())
    for name in ("a.wav", "b.wav", "c.wav", "d.wav", "e.wav", "f.wav"):
        quiet = heard(clean, name, SNR["20 dB"], bed) - clean
        loud = heard(clean, name, SNR["10 dB"], bed) - clean
        np.testing.assert_allclose(loud, quiet * np.sqrt(10), atol=1e-5)


def test_noise_of_when_many_clips_then_every_kind_meets_a_quarter():
    kinds = [noise_of(f"clip-{i}.wav") for i in range(2_000)]

    assert {kind: round(kinds.count(kind) / 2_000, 1) for kind in NOISES} == pytest.approx(
        dict.fromkeys(NOISES, 0.25), abs=0.06
    )


def test_make_bed_when_in_another_order_then_the_same(corpus_table):
    clips = read_corpus("csv", corpus_table).clips

    np.testing.assert_array_equal(make_bed(clips, 1), make_bed(clips[::-1], 1))
    assert not np.array_equal(make_bed(clips, 1), make_bed(clips, 2))
    assert read_file(clips[0].path).size < make_bed(clips, 1).size == 60 * SECOND
