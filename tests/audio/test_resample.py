import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.audio.errors import AudioFormatError, AudioSettingsError
from edge.audio.resample import Resampler

RATES = (8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000)


def tone(hertz, rate, seconds=1.0, channels=1, amplitude=0.5):
    time = np.arange(round(rate * seconds)) / rate
    mono = amplitude * np.sin(2 * np.pi * hertz * time)
    return np.repeat(mono[:, None], channels, axis=1).astype(np.float32)


def resample(frames, rate, channel="mix", cuts=()):
    resampler = Resampler(rate, frames.shape[1], channel)
    blocks = [resampler.push(piece) for piece in np.split(frames, cuts)]
    return np.concatenate([*blocks, resampler.flush()])


def middle_rms(block):
    """Root mean square away from the ends, where a filter meets silence."""
    return float(np.sqrt(np.mean(block[2_000:-2_000] ** 2)))


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("rate", RATES)
def test_resampler_when_fed_a_tone_then_pitch_level_and_length_stay(rate, channels):
    block = resample(tone(440, rate, channels=channels), rate)

    assert block.dtype == np.float32
    assert block.shape == (16_000,)
    assert np.abs(np.fft.rfft(block)).argmax() == 440
    assert middle_rms(block) == pytest.approx(0.5 / np.sqrt(2), rel=1e-3)


@pytest.mark.parametrize("hertz", [9_000, 10_000, 15_000, 20_000])
def test_resampler_when_tone_is_above_8_khz_then_it_vanishes(hertz):
    block = resample(tone(hertz, 48_000), 48_000)

    assert 20 * np.log10(middle_rms(block) / 0.35) < -90


@settings(max_examples=60, deadline=None)
@given(
    rate=st.sampled_from(RATES),
    channels=st.integers(1, 3),
    cuts=st.lists(st.integers(0, 9_000), max_size=30).map(sorted),
)
def test_resampler_when_cut_anywhere_then_stream_is_the_same_bit_for_bit(rate, channels, cuts):
    frames = np.random.default_rng(7).uniform(-1, 1, (9_000, channels)).astype(np.float32)

    np.testing.assert_array_equal(resample(frames, rate, cuts=cuts), resample(frames, rate))


def test_resampler_when_already_16_khz_mono_then_samples_pass_unchanged_and_at_once():
    frames = tone(300, 16_000)

    np.testing.assert_array_equal(Resampler(16_000, 1).push(frames), frames[:, 0])


def test_resampler_when_mixing_then_gives_the_mean_of_all_channels():
    frames = np.array([[0.5, -0.25, 0.5]] * 10, dtype=np.float32)

    np.testing.assert_array_equal(resample(frames, 16_000), np.full(10, 0.25, np.float32))


@pytest.mark.parametrize(("channel", "value"), [(0, 0.5), (1, -0.25)])
def test_resampler_when_channel_is_chosen_then_the_others_are_not_heard(channel, value):
    frames = np.array([[0.5, -0.25]] * 10, dtype=np.float32)

    np.testing.assert_array_equal(resample(frames, 16_000, channel), np.full(10, value, np.float32))


@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_resampler_when_samples_exceed_full_scale_then_block_is_clipped(rate):
    block = resample(tone(440, rate, amplitude=3.0), rate)

    assert np.abs(block).max() == 1.0


def test_resampler_when_channel_is_not_there_then_error_says_how_many_are():
    with pytest.raises(AudioSettingsError, match="there is no channel 2: the sound has 2") as caught:
        Resampler(48_000, 2, 2)
    assert caught.value.exit_code == 64


@pytest.mark.parametrize("rate", [0, 1, 4_000_000])
def test_resampler_when_rate_is_absurd_then_format_error(rate):
    with pytest.raises(AudioFormatError, match=f"claims {rate} Hz") as caught:
        Resampler(rate, 1)
    assert caught.value.exit_code == 65
