import numpy as np
import pytest

from edge.inference.first_guess import FirstGuess
from edge.inference.model import UNCERTAIN, Answer
from edge.inference.reference import ReferencePrior
from edge.inference.voice import Voice

VOICE = Voice(ReferencePrior(**dict.fromkeys(ReferencePrior.__struct_fields__, (1.0,) * 40)))


class Script:
    """A model whose answers are given: the label's steadiness does not hang on any network."""

    class card:  # noqa: N801
        labels = ("angry", "happy", "sad")
        n_frames = 100

    uncertain_below = 0.4

    def __init__(self, answers):
        self._answers = iter(answers)
        self.heard = []

    def probabilities(self, frames, voice):
        assert voice is VOICE
        self.heard.append(len(frames))
        return np.array(next(self._answers))

    def interpret(self, probabilities):
        best = int(np.argmax(probabilities))
        return Answer(
            emotion=self.card.labels[best] if probabilities[best] >= self.uncertain_below else UNCERTAIN,
            confidence=float(probabilities[best]),
            probabilities=dict(zip(self.card.labels, map(float, probabilities), strict=True)),
            arousal=0.0,
            valence=0.0,
        )


def follow(answers, margin=0.1, lengths=None):
    model = Script(answers)
    guess = FirstGuess(model, VOICE, margin)
    frames = [np.zeros((n, 40), np.float32) for n in lengths or [100] * len(answers)]
    return [guess.update(some) for some in frames], model


def test_guess_when_two_labels_are_close_then_it_stays_with_the_first():
    answers, _ = follow([[0.5, 0.45, 0.05], [0.42, 0.53, 0.05], [0.45, 0.5, 0.05], [0.44, 0.51, 0.05]])

    assert [answer.emotion for answer in answers] == ["angry"] * 4


def test_guess_when_another_label_is_clearly_ahead_then_it_changes_once():
    answers, _ = follow([[0.6, 0.3, 0.1], [0.1, 0.8, 0.1], [0.1, 0.8, 0.1], [0.1, 0.8, 0.1]])

    assert [answer.emotion for answer in answers] == ["angry", "happy", "happy", "happy"]


def test_guess_when_hardly_sure_enough_then_it_does_not_flicker_to_uncertain():
    answers, _ = follow([[0.45, 0.3, 0.25], [0.3, 0.35, 0.35], [0.4, 0.3, 0.3]])

    assert [answer.emotion for answer in answers] == ["angry"] * 3


def test_guess_when_windows_are_fuller_then_they_count_more():
    answers, _ = follow([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], lengths=[25, 75])

    assert answers[1].probabilities["happy"] == pytest.approx(0.75)


def test_guess_when_the_turn_is_long_then_only_its_last_window_is_heard():
    _, model = follow([[0.5, 0.3, 0.2]] * 2, lengths=[40, 900])

    assert model.heard == [40, 100]
