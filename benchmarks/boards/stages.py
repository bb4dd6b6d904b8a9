"""The stages whose instructions are counted; `benchmarks.board_load` runs it with an emulated board's Python.

    python stages.py SPEECH.npy MODEL

They are the stages that `affectd bench` measures. The instructions of a stage are those between two marks.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.audio.settings import AudioSettings
from edge.frontend.mfcc import StreamingMfcc
from edge.inference.model import EmotionModel, ModelSettings
from edge.inference.recognizer import Recognizer, TurnResult
from edge.inference.turns import TurnSettings

RATE = 16_000
BLOCK = RATE * AudioSettings().block_ms // 1000
"""Samples in a block, as from a microphone"""

FRAMED = round(RATE * TurnSettings().provisional_s)
"""Samples whose frames the recogniser computes at once, for a first guess"""

_MARK = 0x5EED0000

Sound = NDArray[np.float32]


class CountingModel(EmotionModel):
    """A model that counts its inferences."""

    inferences = 0

    def logits(self, window: NDArray[np.float32]) -> NDArray[np.float32]:
        """Dequantised outputs for one normalised window."""
        self.inferences += 1
        return super().logits(window)


def mark(number: int) -> None:
    """Have the plugin write the count so far."""
    with suppress(ProcessLookupError):
        os.getpgid(_MARK + number)


def push_all(push: Callable[[Sound], object], sound: Sound, block: int = BLOCK) -> None:
    """Push sound in blocks of this many samples, by default those that the sources give."""
    for start in range(0, len(sound), block):
        push(sound[start : start + block])


def main() -> None:
    """Run each stage once before it is counted, so that tables are made and code is loaded."""
    speech: Sound = np.load(sys.argv[1])
    quiet = (10.0 ** (-70.0 / 20.0) * np.random.default_rng(0).standard_normal(len(speech))).astype(
        np.float32
    )
    model = CountingModel(ModelSettings(path=str(Path(sys.argv[2]))))
    second = quiet[:RATE]
    front_end = StreamingMfcc(model.mfcc_config)
    in_quiet, in_speech = Recognizer(model), Recognizer(model)
    events: list[object] = []
    for push in (front_end.push, in_quiet.push, in_speech.push):
        push_all(push, second)
    window = np.zeros((model.card.n_frames, model.mfcc_config.n_features), np.float32)
    model.logits(window)

    mark(0)
    push_all(in_quiet.push, quiet)
    mark(1)
    model.inferences = 0
    push_all(lambda block: events.extend(in_speech.push(block)), speech)
    mark(2)
    inferences = model.inferences
    heard = [speech[event.start : event.end] for event in events if isinstance(event, TurnResult)]
    for turn in heard:
        push_all(front_end.push, turn, FRAMED)
    mark(3)
    model.logits(window)
    mark(4)
    turns = len(heard)
    sys.stdout.write(f"{len(speech) / RATE} {turns} {inferences} {model.runtime}\n")


if __name__ == "__main__":
    main()
