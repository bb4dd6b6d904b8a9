import numpy as np
import pytest

from edge.inference.model import EmotionModel, ModelSettings
from edge.inference.recognizer import Recognizer, TurnResult
from edge.inference.reference import ReferencePrior, VoiceSettings


def turns_of(recognizer, sound):
    events = recognizer.push(sound) + recognizer.flush()
    return [event for event in events if isinstance(event, TurnResult)]


@pytest.fixture
def knowing(model_file):
    """The shipped model under a card whose reference is trusted from the first turn on."""
    features = EmotionModel().mfcc_config.n_features
    even = dict.fromkeys(ReferencePrior.__struct_fields__, (1.0,) * features)
    return EmotionModel(ModelSettings(path=str(model_file(reference=ReferencePrior(**even)))))


def test_recognizer_when_turns_are_heard_then_the_voice_gets_known(knowing, demo_speech):
    recognizer = Recognizer(knowing)
    results = turns_of(recognizer, demo_speech)
    unheard = turns_of(Recognizer(knowing, voice=VoiceSettings(follow=False)), demo_speech)

    assert recognizer.voice.turns == len(results) > 2
    assert 0.5 < recognizer.voice.strength < 1.0
    assert results[0].answer == unheard[0].answer
    assert results[1].answer != unheard[1].answer


def test_recognizer_when_the_voice_is_not_to_be_followed_then_it_stays_unknown(knowing, demo_speech):
    recognizer = Recognizer(knowing, voice=VoiceSettings(follow=False))
    turns_of(recognizer, demo_speech)

    assert (recognizer.voice.turns, recognizer.voice.strength) == (0, 0.0)


def test_recognizer_when_nobody_spoke_for_long_then_the_next_voice_is_a_new_one(knowing, demo_speech):
    pause = np.zeros(round(6.0 * 16_000), np.float32)
    sound = np.concatenate([demo_speech, pause, demo_speech])
    forgetful = Recognizer(knowing, voice=VoiceSettings(forget_after_s=5.0))
    before = len(turns_of(Recognizer(knowing), demo_speech))
    turns_of(forgetful, sound)

    assert forgetful.voice.turns < len(turns_of(Recognizer(knowing), sound))
    assert forgetful.voice.turns == before


@pytest.mark.parametrize("seconds", [0.0, -1.0, 90_000.0])
def test_voice_settings_when_they_make_no_sense_then_refused(seconds):
    with pytest.raises(ValueError, match="forget_after_s"):
        VoiceSettings(forget_after_s=seconds)
