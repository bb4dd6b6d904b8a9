"""The voice reference: what the current speaker, room and microphone sound like, apart from emotion.

A gain, a microphone and a room add a constant to the cepstrum (Atal, "Effectiveness of linear prediction
characteristics of the speech wave", 1974), and so, roughly, does a voice. A turn's frames are therefore taken
relative to a reference point. For a voice that has not been heard before, this point is the turn's own mean.
That cancels gain and microphone exactly, but it also removes how the turn as a whole differs from the
speaker's other turns: louder, brighter, more tense. The more turns of the voice have been heard, the further
the point moves from the turn's own mean towards the mean over those turns.

How far it moves is the shrinkage factor of empirical Bayes for a normal mean (Efron and Morris, "Stein's
estimation rule and its competitors", 1973): the variance between voices, divided by the sum of that variance
and the variance of the estimate.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.floating]
Frames = NDArray[np.float32]

MEMORY_TURNS = 30
"""Turns after which older ones begin to fade, so that the reference follows changes in the room"""


class VoiceSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the device learns a voice from its turns; what it has learned that way is lost at a restart."""

    follow: bool = True
    """Learn the voice from every turn; if false, turns are judged by an enrolment alone, or by themselves"""

    forget_after_s: float = 60.0
    """Seconds without a turn after which the next turn counts as a new voice: the speaker may have changed"""

    def __post_init__(self) -> None:
        if not 0.0 < self.forget_after_s <= 86_400.0:
            raise ValueError(
                f"forget_after_s is {self.forget_after_s}: it must be above 0 and at most 86400 (a day)"
            )


class ReferencePrior(msgspec.Struct, frozen=True, kw_only=True):
    """Statistics of the voices in the training corpora, one value per feature; kept in the card."""

    voice_variance: tuple[float, ...]
    """Between speakers: variance of a speaker's mean"""

    turn_variance: tuple[float, ...]
    """Within a speaker: variance of a turn's mean about the speaker's mean"""

    neutral_offset: tuple[float, ...]
    """Mean of a speaker's neutral turns less the speaker's mean over all emotions"""

    neutral_variance: tuple[float, ...]
    """Between speakers: variance of that offset"""

    neutral_turn_variance: tuple[float, ...]
    """Within a speaker: variance of a neutral turn's mean about the mean of the speaker's neutral turns"""


class VoiceReference:
    """The reference of one voice in one place, learned from turns without knowing what they express."""

    def __init__(self, prior: ReferencePrior) -> None:
        self._voice = np.asarray(prior.voice_variance)
        self._turn = np.asarray(prior.turn_variance)
        self._neutral_offset = np.asarray(prior.neutral_offset)
        self._neutral = np.asarray(prior.neutral_variance)
        self._neutral_turn = np.asarray(prior.neutral_turn_variance)
        self._enrolled_precision = np.zeros_like(self._voice)
        self._enrolled_mean = np.zeros_like(self._voice)
        self.reset()

    def reset(self) -> None:
        """Forget the turns heard, but keep the enrolment."""
        self.turns = 0
        """Turns heard since the last reset"""
        self._weight = 0.0
        self._mean = np.zeros_like(self._voice)

    def learn(self, turn_mean: Vector) -> None:
        """Learn from one more turn, given the mean of its frames, shape (n_features,)."""
        self.turns += 1
        self._weight = min(self._weight + 1.0, float(MEMORY_TURNS))
        self._mean = self._mean + (turn_mean - self._mean) / self._weight

    def enrol(self, neutral_means: Sequence[Vector]) -> None:
        """Enrol neutral turns, given the means of their frames; an empty list removes the enrolment."""
        if not len(neutral_means):
            self._enrolled_precision = np.zeros_like(self._voice)
            return
        self._enrolled_mean = np.mean(neutral_means, axis=0) - self._neutral_offset
        self._enrolled_precision = 1.0 / (self._neutral + self._neutral_turn / len(neutral_means))

    @property
    def strength(self) -> float:
        """Weight of the reference in a turn's point, mean over the features: 0 for an unknown voice."""
        return float(self._trust().mean())

    def point(self, turn_mean: Vector) -> Vector:
        """The reference point that a turn's frames are taken relative to, shape (n_features,).

        Args:
            turn_mean: mean of the turn's own frames; nothing is learned from it here.
        """
        precision = self._precision()
        if not precision.any():
            return turn_mean
        known = (
            self._weight / self._turn * self._mean + self._enrolled_precision * self._enrolled_mean
        ) / precision
        return np.asarray(turn_mean + self._trust() * (known - turn_mean))

    def relative(self, frames: Frames) -> Frames:
        """Frames of a turn (n, n_features), n >= 1, less its reference point; the turn is not learned."""
        return np.asarray(frames - self.point(frames.mean(axis=0)), np.float32)

    def _precision(self) -> Vector:
        return np.asarray(self._weight / self._turn + self._enrolled_precision)

    def _trust(self) -> Vector:
        """How far the point moves from the turn's own mean to the reference, 0 to 1 for each feature."""
        known = self._voice * self._precision()
        return np.asarray(known / (1.0 + known))
