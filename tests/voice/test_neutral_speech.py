"""What an enrolment is made of, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from support.sound import DEMO_SPEECH, RATE

from edge.audio.files import read_file
from edge.frontend.vad import Detector, GateSettings
from edge.inference.clip import speech_frames
from edge.inference.model import EmotionModel
from edge.voice.errors import EnrolmentError
from edge.voice.speech import NeutralSpeech

AT = "2026-01-02T03:04:05.678Z"
MODEL = EmotionModel()
CONFIG = MODEL.mfcc_config
QUICK = GateSettings(detector=Detector.ENERGY)
"""The voice network would cost these tests most of their time, and has its own"""


@pytest.fixture(scope="module")
def speech():
    return read_file(DEMO_SPEECH)[: 12 * RATE]


def heard(sound, wanted_s=3.0, blocks=1):
    neutral = NeutralSpeech(MODEL, QUICK, wanted_s)
    for block in np.array_split(sound, blocks):
        neutral.push(block)
    return neutral


def test_neutral_speech_when_there_is_enough_then_its_mean_is_that_of_the_speech(speech):
    enrolment = heard(speech).result(AT)
    frames = speech_frames(speech, CONFIG)

    assert enrolment.at == AT
    assert enrolment.turns >= 2
    assert 3.0 <= enrolment.speech_s < len(speech) / RATE
    assert len(enrolment.mean) == CONFIG.n_features
    assert np.abs(np.array(enrolment.mean) - frames.mean(axis=0)).max() < frames.std(axis=0).max() / 2
    assert enrolment.answered is not None
    assert enrolment.answered.model_sha256 == MODEL.card.flatbuffer_sha256
    np.testing.assert_allclose(enrolment.answered.answer, MODEL.answer_by_itself(frames), atol=2.0)


def test_neutral_speech_when_the_sound_comes_in_other_blocks_then_says_the_same(speech):
    assert heard(speech, blocks=1).result(AT) == heard(speech, blocks=977).result(AT)


def test_neutral_speech_when_the_microphone_is_louder_then_only_the_level_is_another(speech):
    plain, loud = (np.array(heard(gain * speech).result(AT).mean) for gain in (0.5, 1.0))

    # The DCT puts a constant of all mel bands, log(gain^2), into the first coefficient.
    assert loud[0] - plain[0] == pytest.approx(np.log(4.0) * np.sqrt(CONFIG.n_mels), abs=0.5)
    np.testing.assert_allclose(loud[1:], plain[1:], atol=0.3)


def test_neutral_speech_when_it_comes_bit_by_bit_then_grows_until_it_is_enough(speech):
    neutral = NeutralSpeech(MODEL, QUICK, wanted_s=4.0)
    grown = []
    for block in np.array_split(speech, 400):
        neutral.push(block)
        grown.append(neutral.speech_s)
        if neutral.is_enough:
            break

    assert len(set(grown)) > 100
    assert 4.0 <= grown[-1] < 4.5


def test_neutral_speech_when_there_are_several_recordings_then_they_add_up(speech):
    neutral, once = NeutralSpeech(MODEL, QUICK, 30.0), heard(speech)
    once.end_recording()
    while not neutral.is_enough:
        neutral.push(speech)
        neutral.end_recording()

    assert neutral.heard_s > 2 * once.heard_s
    assert neutral.result(AT).turns > 2 * once.result(AT).turns
    assert neutral.result(AT).speech_s >= 30.0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda sound: sound[: 2 * RATE], "keep speaking without long pauses"),
        (lambda sound: np.clip(100.0 * sound, -1.0, 1.0), "clipped; turn capture down"),
        (lambda sound: 0.0 * sound, "0.0 s of good speech"),
    ],
)
def test_neutral_speech_when_it_is_little_or_poor_then_is_refused_and_why(speech, change, words):
    neutral = heard(change(speech))
    neutral.end_recording()

    assert not neutral.is_enough
    with pytest.raises(EnrolmentError, match=words):
        neutral.result(AT)


def test_neutral_speech_when_nobody_speaks_for_long_then_there_is_no_hope():
    neutral = NeutralSpeech(MODEL, QUICK, wanted_s=3.0)
    second = np.zeros(RATE, np.float32)
    while not neutral.is_hopeless:
        neutral.push(second)

    assert neutral.heard_s == neutral.limit_s == 18.0
    with pytest.raises(EnrolmentError, match="3 s are needed"):
        neutral.result(AT)
