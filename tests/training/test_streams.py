import numpy as np
import pytest
import soundfile

from training.clips import Clip
from training.noises import KINDS, RATE, in_room, room
from training.streams import make_stream, noise_only, read_speech, turns_in


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Three clips of a tone of 1 s between half seconds of near silence."""
    folder = tmp_path_factory.mktemp("clips")
    time = np.arange(RATE) / RATE
    made = []
    for number, hertz in enumerate((200, 400, 800)):
        tone = np.concatenate(
            [np.zeros(RATE // 2), 0.3 * np.sin(2 * np.pi * hertz * time), np.zeros(RATE // 2)]
        )
        path = folder / f"{number}.wav"
        soundfile.write(path, tone, RATE)
        made.append(Clip(path=path, corpus="tones", speaker=f"s{number}", emotion="neutral"))
    return made


def test_speech_when_read_then_cut_to_what_is_loud_and_of_unit_power(clips):
    speech = read_speech(clips[0])

    assert abs(len(speech) - RATE) <= RATE // 100
    assert np.mean(np.square(speech)) == pytest.approx(1.0, rel=0.01)


def test_stream_when_made_then_its_turns_are_where_it_says_at_the_level_asked(clips):
    stream = make_stream(clips, np.random.default_rng(0), level_db=-20.0)

    assert [turn.clip for turn in stream.turns] == clips
    for turn in stream.turns:
        power = np.mean(np.square(stream.samples[turn.start : turn.end]))
        assert 10 * np.log10(power) == pytest.approx(-20.0, abs=0.2)
        assert np.abs(stream.samples[turn.end + 10 : turn.end + RATE]).max() < 0.001
    assert stream.speech().sum() == pytest.approx(300, abs=6)


@pytest.mark.parametrize("snr_db", [20, 0])
def test_stream_when_noise_is_added_then_at_the_ratio_asked(clips, snr_db):
    def white(seconds, rng):
        return rng.standard_normal(round(seconds * RATE)).astype(np.float32)

    stream = make_stream(clips, np.random.default_rng(0), noise=white, snr_db=snr_db, level_db=-30.0)
    before = stream.samples[: stream.turns[0].start]

    assert 10 * np.log10(np.mean(np.square(before))) == pytest.approx(-30.0 - snr_db, abs=0.3)


def test_stream_when_seeded_alike_then_the_same(clips):
    one, two = (make_stream(clips, np.random.default_rng(7), room_s=0.3) for _ in range(2))

    np.testing.assert_array_equal(one.samples, two.samples)


@pytest.mark.parametrize("kind", list(KINDS))
def test_noise_when_made_then_finite_as_long_as_asked_and_not_silent(kind):
    stream = noise_only(2.5, np.random.default_rng(3), KINDS[kind], -30.0)

    assert stream.samples.shape == (round(2.5 * RATE),)
    assert np.isfinite(stream.samples).all()
    assert 10 * np.log10(np.mean(np.square(stream.samples))) == pytest.approx(-30.0, abs=1.5)
    assert not stream.turns


def test_room_when_heard_in_it_then_the_direct_sound_stays_where_it_was():
    click = np.zeros(RATE, np.float32)
    click[1_000] = 1.0
    wet = in_room(click, room(0.4, np.random.default_rng(1)))

    assert int(np.abs(wet).argmax()) == 1_000
    assert np.abs(wet[:1_000]).max() < 1e-5
    assert np.square(wet[1_100:8_000]).sum() > 10 * np.square(wet[12_000:]).sum()


def test_turns_when_a_pause_is_longer_than_the_hangover_then_one_on_each_side_of_it_though_breath_fills_it():
    time = np.arange(RATE) / RATE
    voice = np.sin(2 * np.pi * 300 * time)
    breath = 0.2 * np.sin(2 * np.pi * 4_000 * time)
    speech = np.concatenate([voice, breath, voice, breath[: RATE // 2], voice]).astype(np.float32)

    first, second = turns_in(speech)
    assert first[0] == 0
    assert first[1] == pytest.approx(RATE, abs=RATE // 50)
    assert second[0] == pytest.approx(2 * RATE, abs=RATE // 50)
    assert second[1] == len(speech)
