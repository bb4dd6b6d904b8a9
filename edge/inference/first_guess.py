"""The first guess at a turn that is still being spoken: stable, at the cost of one window per update."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.inference.model import UNCERTAIN, Answer, EmotionModel
from edge.inference.voice import Voice


class FirstGuess:
    """Follows one turn: the weighted mean of the windows so far, with hysteresis on the label.

    Args:
        model: classifies the windows.
        voice: what is known about the speaker's voice; not updated here.
        switch_margin: probability by which another label must be ahead before the guess changes to it.
    """

    def __init__(self, model: EmotionModel, voice: Voice, switch_margin: float) -> None:
        self._model = model
        self._voice = voice
        self._margin = switch_margin
        self._sum = np.zeros(len(model.card.labels))
        self._weight = 0
        self._held: str | None = None

    def update(self, frames: NDArray[np.float32]) -> Answer:
        """The guess after the turn's frames so far (n, n_features), n >= 1; classifies only the last window.

        Each window is weighted by its number of frames, so that the first, partly filled ones count less.
        """
        window = frames[-self._model.card.n_frames :]
        self._sum += len(window) * self._model.probabilities(window, self._voice)
        self._weight += len(window)
        answer = self._model.interpret(self._sum / self._weight)
        return Answer(
            emotion=self._steady(answer),
            confidence=answer.confidence,
            probabilities=answer.probabilities,
            arousal=answer.arousal,
            valence=answer.valence,
        )

    def _steady(self, answer: Answer) -> str:
        held = self._held
        if held is None or held == answer.emotion:
            ahead = True
        elif answer.emotion == UNCERTAIN:
            ahead = answer.confidence < self._model.uncertain_below - self._margin
        elif held == UNCERTAIN:
            ahead = answer.confidence >= self._model.uncertain_below + self._margin
        else:
            ahead = answer.probabilities[answer.emotion] >= answer.probabilities[held] + self._margin
        if ahead:
            self._held = answer.emotion
        return self._held or answer.emotion
