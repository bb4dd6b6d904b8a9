"""What the device knows of the present voice: what it sounds like, and what its turns are taken for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.inference.leaning import Leaning, LeaningPrior, upright
from edge.inference.reference import Frames, ReferencePrior, Vector, VoiceReference


class Voice:
    """The reference and the leaning of one voice. Without a prior of leanings, answers stay as they are."""

    def __init__(self, reference: ReferencePrior, leaning: LeaningPrior | None = None) -> None:
        self._reference = VoiceReference(reference)
        self._leaning = None if leaning is None else Leaning(leaning)

    @property
    def turns(self) -> int:
        """Turns heard since the last reset."""
        return self._reference.turns

    @property
    def strength(self) -> float:
        """How much of a turn's point is the reference, mean over the features: 0 when no turn was heard."""
        return self._reference.strength

    @property
    def leaning(self) -> NDArray[np.float64] | None:
        """As far as it is known, shape (n_labels,); None where nothing is asked of it."""
        return None if self._leaning is None else np.asarray(self._leaning.estimate(), np.float64)

    def reset(self) -> None:
        """Forget the turns heard; what was enrolled stays."""
        self._reference.reset()
        if self._leaning:
            self._leaning.reset()

    def learn(self, turn_mean: Vector, answer: Vector | None) -> None:
        """Hear one more turn.

        Args:
            turn_mean: of its frames, shape (n_features,).
            answer: to it as of a voice that was never heard, see `edge.inference.leaning`; None: not known.
        """
        self._reference.learn(turn_mean)
        if self._leaning and answer is not None:
            self._leaning.learn(answer)

    def enrol(self, neutral_means: Sequence[Vector], neutral_answers: Sequence[Vector]) -> None:
        """Take turns that are known to be neutral, as `learn` does; none undo an enrolment of their kind."""
        self._reference.enrol(neutral_means)
        if self._leaning:
            self._leaning.enrol(neutral_answers)

    def relative(self, frames: Frames) -> Frames:
        """Frames of a turn (n, n_features), n >= 1, less its point; the turn is not learnt."""
        return self._reference.relative(frames)

    def upright(self, probabilities: Vector) -> NDArray[np.float64]:
        """Probabilities (n_labels,) of a turn, less what the voice is taken for anyway."""
        leaning = self.leaning
        return np.asarray(probabilities, np.float64) if leaning is None else upright(probabilities, leaning)
