"""What a device may have heard of a voice before a turn, simulated at random for each training clip.

A network trained only with the best reference would fail on a voice that it hears for the first time, and one
trained without any could not make use of a reference.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from edge.inference.reference import ReferencePrior, VoiceReference
from training.features import Example, Frames
from training.one_emotion import of_several_emotions

_TURNS = (1, 2, 3, 5, 10, 20, 30)
_NEUTRAL_TURNS = (1, 3, 10)


class HistorySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often each kind of history is drawn; the remaining clips follow turns of any emotion."""

    none: float = 0.3
    """Share of clips, 0 to 1, whose voice was never heard before"""

    enrolled: float = 0.25
    """Share of clips, 0 to 1 - none, whose voice was enrolled with neutral turns"""

    one_emotion: bool = True
    """Whether speakers with more than three quarters of their clips in one emotion also get histories and
    count in the estimated variance of voices. Relative to such turns, little is left of what they express"""

    def __post_init__(self) -> None:
        if not (0.0 <= self.none <= 1.0 and 0.0 <= self.enrolled <= 1.0 - self.none):
            raise ValueError("none and enrolled must be shares that add up to at most 1")


class Histories:
    """Training clips as the network sees them, each after a history drawn from its speaker's other clips."""

    def __init__(self, examples: Sequence[Example], prior: ReferencePrior, settings: HistorySettings) -> None:
        self.examples = list(examples)
        self._prior = prior
        self._settings = settings
        self._means = [e.frames.mean(axis=0) for e in self.examples]
        self._of_speaker: dict[str, list[int]] = {}
        self._neutral_of: dict[str, list[int]] = {}
        speakers = {e.clip.speaker for e in self.examples}
        known = speakers if settings.one_emotion else of_several_emotions(self.examples)
        for i, example in enumerate(self.examples):
            if example.clip.speaker not in known:
                continue
            self._of_speaker.setdefault(example.clip.speaker, []).append(i)
            if example.clip.emotion == "neutral":
                self._neutral_of.setdefault(example.clip.speaker, []).append(i)

    @property
    def speech(self) -> Frames:
        """Mean over the clips of their mean frame, not relative to any reference, (n_features,)."""
        return np.asarray(np.mean(self._means, axis=0), np.float32)

    def frames(self, i: int, rng: np.random.Generator) -> Frames:
        """Frames of clip i relative to a reference that has heard a random history."""
        reference = VoiceReference(self._prior)
        speaker = self.examples[i].clip.speaker
        kind = rng.uniform()
        if kind < self._settings.enrolled:
            chosen = self._draw(i, self._neutral_of.get(speaker, []), _NEUTRAL_TURNS, rng)
            reference.enrol([self._means[j] for j in chosen])
        elif kind >= self._settings.enrolled + self._settings.none:
            for j in self._draw(i, self._of_speaker.get(speaker, []), _TURNS, rng):
                reference.learn(self._means[j])
        return reference.relative(self.examples[i].frames)

    def seen(self, rng: np.random.Generator) -> list[Example]:
        """Every clip once, each after a random history."""
        return [Example(e.clip, self.frames(i, rng)) for i, e in enumerate(self.examples)]

    def _draw(
        self, i: int, among: Sequence[int], sizes: tuple[int, ...], rng: np.random.Generator
    ) -> list[int]:
        """Some of a speaker's clips, never clip i itself."""
        others = [j for j in among if j != i]
        size = min(int(rng.choice(sizes)), len(others))
        drawn: list[int] = rng.choice(np.array(others, np.int64), size, replace=False).tolist()
        return drawn


def unheard(examples: Sequence[Example], prior: ReferencePrior) -> list[Example]:
    """Clips as the network sees them when their voice was never heard before."""
    reference = VoiceReference(prior)
    return [Example(e.clip, reference.relative(e.frames)) for e in examples]
