import numpy as np
import pytest

from edge.inference.leaning import LeaningPrior, answer_of, upright
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


def test_recognizer_when_the_voice_is_forgotten_then_its_last_turn_is_not_learnt_afterwards(
    knowing, demo_speech
):
    recognizer = Recognizer(knowing)
    blocks = iter(np.split(demo_speech, range(1_024, demo_speech.size, 1_024)))
    while not any(isinstance(event, TurnResult) for event in recognizer.push(next(blocks))):
        pass
    recognizer.forget_voice()
    recognizer.push(next(blocks))

    assert (recognizer.voice.turns, recognizer.voice.strength) == (0, 0.0)


def test_recognizer_when_a_turn_has_been_told_then_the_next_block_teaches_it(knowing, demo_speech):
    recognizer = Recognizer(knowing)
    blocks = iter(np.split(demo_speech, range(1_024, demo_speech.size, 1_024)))
    while not any(isinstance(event, TurnResult) for event in recognizer.push(next(blocks))):
        pass
    at_the_result = recognizer.voice.turns
    recognizer.push(next(blocks))

    assert (at_the_result, recognizer.voice.turns) == (0, 1)


@pytest.fixture
def leaning(model_file):
    """The shipped model under a card that trusts every leaning and no reference."""
    card = EmotionModel().card
    n, features = len(card.labels), card.mfcc_config.n_features
    even = dict.fromkeys(ReferencePrior.__struct_fields__, (1.0,) * features)
    spread = {name: 1.0 for name in LeaningPrior.__struct_fields__ if name not in ("usual", "neutral")}
    sure = LeaningPrior(usual=(0.0,) * n, neutral=(0.0,) * n, **{**spread, "voice_variance": 1e9})
    reference = ReferencePrior(**{**even, "voice_variance": (0.0,) * features})
    return EmotionModel(ModelSettings(path=str(model_file(reference=reference, leaning=sure))))


def test_recognizer_when_a_voice_leans_then_later_turns_are_told_without(leaning, demo_speech):
    told = [result.answer.probabilities for result in turns_of(Recognizer(leaning), demo_speech)]
    by_themselves = [
        result.answer.probabilities
        for result in turns_of(Recognizer(leaning, voice=VoiceSettings(follow=False)), demo_speech)
    ]

    assert told[0] == by_themselves[0]
    heard = [answer_of(np.array(list(answer.values()))) for answer in by_themselves]
    expected = upright(np.array(list(by_themselves[1].values())), heard[0])
    np.testing.assert_allclose(list(told[1].values()), expected, atol=1e-6)
