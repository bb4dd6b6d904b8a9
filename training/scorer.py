"""Answers of a finished run to test clips, depending on what is known of the voice."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.inference.leaning import answer_of, upright
from edge.inference.model import EmotionModel, mean_probabilities
from edge.inference.voice import Voice
from training.adaptation import voices
from training.features import Example
from training.run_folder import RunInfo
from training.scoring import Frames, clip_logits


class Answered(NamedTuple):
    """The likeliest label of each clip, by its column."""

    labels: list[int]
    by_reference: list[int]
    """With the voice's reference alone: its leaning is not removed"""


class _Scorer(ABC):
    """Scores test clips with a network.

    Args:
        info: of the run.
        test: clips of people unheard in training.
        columns: the network's outputs that an answer can be.
    """

    def __init__(self, info: RunInfo, test: Sequence[Example], columns: Sequence[int]) -> None:
        self._info, self._test, self._columns = info, test, columns
        self._unheard = [Voice(info.prior) for _ in test]
        self.logits = self._logits(self._unheard)
        """Logits of each clip's windows, (w, n_labels), when its voice was never heard before"""
        self.answers = [answer_of(mean_probabilities(x, info.temperature)) for x in self.logits]
        """Answer to each clip by itself, (n_labels,); see `edge.inference.leaning`"""

    @abstractmethod
    def _logits(self, known: Sequence[Voice]) -> list[Frames]:
        """Logits of the windows of each clip, (w, n_labels), by what is known of its voice."""

    def in_form(self, form: str, turns: int) -> Answered:
        """Answers to each clip after `turns` others of its speaker; see `training.adaptation`."""
        priors = (self._info.prior, self._info.leaning)
        return self.answered(voices(self._test, self.answers, priors, form, turns) if turns else None)

    def answered(self, known: Sequence[Voice] | None = None) -> Answered:
        """Answers to each clip; `known` says what is known of each voice: None that none was ever heard."""
        logits = self.logits if known is None else self._logits(known)
        found = Answered([], [])
        for windows, voice in zip(logits, known or self._unheard, strict=True):
            heard = mean_probabilities(windows[:, self._columns], self._info.temperature)
            found.labels.append(int(self._upright(heard, voice).argmax()))
            found.by_reference.append(int(heard.argmax()))
        return found

    def _upright(self, heard: NDArray[np.float64], voice: Voice) -> NDArray[np.float64]:
        leaning = voice.leaning
        return heard if leaning is None else upright(heard, leaning[self._columns])


class InFloat(_Scorer):
    """Scores test clips with the float network."""

    def __init__(self, network: Any, info: RunInfo, test: Sequence[Example], columns: Sequence[int]) -> None:
        self._network = network
        super().__init__(info, test, columns)

    def _logits(self, known: Sequence[Voice]) -> list[Frames]:
        seen = [Example(e.clip, v.relative(e.frames)) for e, v in zip(self._test, known, strict=True)]
        mean, std = np.array(self._info.mean, np.float32), np.array(self._info.std, np.float32)
        return clip_logits(self._network, seen, mean, std, self._info.recipe.n_frames)


class InInt8(_Scorer):
    """Scores test clips with the int8 file, in the edge runtime."""

    def __init__(
        self, model: EmotionModel, info: RunInfo, test: Sequence[Example], columns: Sequence[int]
    ) -> None:
        self._model = model
        super().__init__(info, test, columns)

    def _logits(self, known: Sequence[Voice]) -> list[Frames]:
        return [self._model.turn_logits(e.frames, v) for e, v in zip(self._test, known, strict=True)]
