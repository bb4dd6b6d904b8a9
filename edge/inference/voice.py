"""What the device knows about the current voice: what it sounds like (reference), and its leaning."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.inference.leaning import Leaning, LeaningPrior, upright
from edge.inference.reference import Frames, ReferencePrior, Vector, VoiceReference


class Voice:
    """The reference and the leaning of one voice; without a prior for the leaning, answers do not change."""

    def __init__(self, reference: ReferencePrior, leaning: LeaningPrior | None = None) -> None:
        self._reference = VoiceReference(reference)
        self._leaning = None if leaning is None else Leaning(leaning)

    @property
    def turns(self) -> int:
        """Turns heard since the last reset."""
        return self._reference.turns

    @property
    def strength(self) -> float:
        """Weight of the reference in a turn's point, mean over the features: 0 for an unknown voice."""
        return self._reference.strength

    @property
    def leaning(self) -> NDArray[np.float64] | None:
        """The estimate of the leaning, shape (n_labels,); None without a prior for it."""
        return None if self._leaning is None else np.asarray(self._leaning.estimate(), np.float64)

    def reset(self) -> None:
        """Forget the turns heard, but keep the enrolment."""
        self._reference.reset()
        if self._leaning:
            self._leaning.reset()

    def learn(self, turn_mean: Vector, answer: Vector | None) -> None:
        """Learn from one more turn.

        Args:
            turn_mean: mean of its frames, shape (n_features,).
            answer: the answer to the turn by itself, see `edge.inference.leaning`; None if it is not known.
        """
        self._reference.learn(turn_mean)
        if self._leaning and answer is not None:
            self._leaning.learn(answer)

    def enrol(self, neutral_means: Sequence[Vector], neutral_answers: Sequence[Vector]) -> None:
        """Enrol neutral turns, given as for `learn`; an empty list removes that part of the enrolment."""
        self._reference.enrol(neutral_means)
        if self._leaning:
            self._leaning.enrol(neutral_answers)

    def relative(self, frames: Frames) -> Frames:
        """Frames of a turn (n, n_features), n >= 1, less its reference point; the turn is not learned."""
        return self._reference.relative(frames)

    def upright(self, probabilities: Vector) -> NDArray[np.float64]:
        """Probabilities (n_labels,) of a turn, with the voice's leaning subtracted on the log scale."""
        leaning = self.leaning
        return np.asarray(probabilities, np.float64) if leaning is None else upright(probabilities, leaning)
