"""Measures the processor time of each stage of the recognition per second of sound, in this process."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import msgspec
import numpy as np

from edge.audio.block import SAMPLE_RATE, Block
from edge.audio.settings import AudioSettings
from edge.config import Config
from edge.frontend.mfcc import StreamingMfcc
from edge.health import TimedModel
from edge.inference.recognizer import Event, Recognizer, TurnResult
from edge.inference.turns import TurnSettings

BLOCK = SAMPLE_RATE * AudioSettings().block_ms // 1000
"""Samples in a block, as the sources give them by default"""

_ROUNDS = 3
_QUIET_DBFS = -70.0


class Stages(msgspec.Struct, frozen=True, kw_only=True):
    """Real-time factors: processor time of all threads per duration of the sound, medians over the rounds."""

    sound_s: float
    """Seconds of speech that were processed, pauses included"""

    turns: int
    windows: int
    """Number of inferences"""

    front_end: float
    """Features of the turns; none are computed while nobody speaks"""

    gate: float
    """The energy gate, turn detection and everything else that a quiet room costs"""

    model: float
    """Inferences: their number times the median time of one"""

    voice: float
    """The remaining cost of speech: the network that tells voices from noise, where it runs"""

    whole: float
    """All of them together"""

    window_ms: float
    """Median wall-clock time of one inference"""


def quiet_room(seconds: float) -> Block:
    """Noise 70 dB below full scale, too quiet for speech: float32 (n,)."""
    noise = np.random.default_rng(0).standard_normal(round(seconds * SAMPLE_RATE))
    return np.asarray(10.0 ** (_QUIET_DBFS / 20.0) * noise, np.float32)


def measure_stages(
    config: Config, model: TimedModel, speech: Block, progress: Callable[[str], None]
) -> Stages:
    """Run speech and quiet through the recognition.

    Args:
        config: supplies the settings of gate and turns.
        model: the loaded model.
        speech: mono at 16 kHz, [-1, 1].
        progress: receives messages on the progress.
    """
    quiet = quiet_room(len(speech) / SAMPLE_RATE)
    runs: dict[str, list[float]] = {"front_end": [], "quiet": [], "whole": []}
    events: list[Event] = []
    took_ms: list[float] = []
    for number in range(_ROUNDS):
        progress(f"stages: round {number + 1} of {_ROUNDS}")
        runs["quiet"].append(_factor(Recognizer(model, config.turns, config.gate).push, quiet))
        recognizer = Recognizer(model, config.turns, config.gate)
        events = []
        model.window_ms.clear()  # it keeps only the most recent ones
        runs["whole"].append(_factor(lambda block: events.extend(recognizer.push(block)), speech))  # noqa: B023
        took_ms += model.window_ms
        runs["front_end"].append(_framing(model, config.turns, speech, events))
    front_end, in_quiet, whole = (statistics.median(values) for values in runs.values())
    sound_s = len(speech) / SAMPLE_RATE
    window_ms = statistics.median(took_ms) if took_ms else 0.0
    in_model = len(model.window_ms) * window_ms / 1000.0 / sound_s
    return Stages(
        sound_s=sound_s,
        turns=sum(isinstance(event, TurnResult) for event in events),
        windows=len(model.window_ms),
        front_end=front_end,
        gate=in_quiet,
        model=in_model,
        voice=max(0.0, whole - in_quiet - front_end - in_model),
        whole=whole,
        window_ms=window_ms,
    )


def _framing(model: TimedModel, turns: TurnSettings, speech: Block, events: list[Event]) -> float:
    """Cost of the turns' frames, computed as often as for first guesses, per second of all sound."""
    piece = round(turns.provisional_s * SAMPLE_RATE)
    heard = [speech[event.start : event.end] for event in events if isinstance(event, TurnResult)]
    push = StreamingMfcc(model.mfcc_config).push
    return sum(_factor(push, turn, piece) * len(turn) for turn in heard) / len(speech)


def _factor(push: Callable[[Block], object], sound: Block, samples: int = BLOCK) -> float:
    """Processor time per duration of a sound that is pushed `samples` samples at a time."""
    begun = time.process_time()
    for start in range(0, len(sound), samples):
        push(sound[start : start + samples])
    return (time.process_time() - begun) * SAMPLE_RATE / len(sound)
