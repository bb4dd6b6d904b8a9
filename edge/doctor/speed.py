"""Whether this machine keeps up: the processing time of front end and model per second of sound."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from edge.audio.block import SAMPLE_RATE
from edge.audio.files import read_file
from edge.audio.settings import AudioSettings
from edge.config import Config
from edge.demo import SPEECH
from edge.doctor.report import Finding, Stage, Verdict
from edge.frontend.mfcc import StreamingMfcc
from edge.inference.model import EmotionModel
from edge.inference.recognizer import Recognizer
from edge.update.in_force import device_store, settings_in_force

_SOUND_S = 5.0
_SPEECH_S = 8.0
_BLOCK = SAMPLE_RATE * AudioSettings().block_ms // 1000
"""Samples in one block from a microphone"""

_WARM_UP, _WINDOWS = 3, 20
_BUSY, _TOO_SLOW = 0.5, 1.0
"""Real-time factors from which on a stage is a warning, and a failure"""

_FASTER = (
    "raise window_hop_s in [model], stop other programs, and see below whether the board is throttled; "
    "firmware_configs/boards has values for each board"
)


def examine(config: Config) -> Iterator[Finding]:
    """Measure the real-time factors of front end and whole path, and the latency for a long turn.

    Raises:
        InferenceError: when the model cannot be used.
    """
    model = EmotionModel(settings_in_force(config.model, device_store()))
    factor = _frontend_factor(StreamingMfcc(model.mfcc_config))
    yield Finding(
        stage=Stage.SPEED,
        verdict=_judge(factor),
        message=f"front end: {1000.0 * factor:.1f} ms of processor time per second of sound (real-time "
        f"factor {factor:.4f})",
        remedy="" if factor < _BUSY else "stop other programs, and see below whether the board is throttled",
    )
    whole = _whole_factor(Recognizer(model, config.turns, config.gate))
    yield Finding(
        stage=Stage.SPEED,
        verdict=_judge(whole),
        message=f"whole recognition, with speech detection: {1000.0 * whole:.1f} ms of processor time per "
        "second of speech",
        remedy="" if whole < _BUSY else _FASTER,
    )
    window_s = _window_s(model)
    longest_s = config.turns.max_turn_s
    windows = len(model.windows(np.zeros(_frames(model, longest_s), np.float32)))
    share = windows * window_s / longest_s
    yield Finding(
        stage=Stage.SPEED,
        verdict=_judge(factor + share),
        message=f"model: {1000.0 * window_s:.1f} ms per window, so the result of a turn of {longest_s:g} s "
        f"comes {1000.0 * windows * window_s:.0f} ms after its end",
        remedy="" if factor + share < _BUSY else _FASTER,
    )


def _judge(share: float) -> Verdict:
    if share >= _TOO_SLOW:
        return Verdict.FAIL
    return Verdict.WARN if share >= _BUSY else Verdict.OK


def _frontend_factor(mfcc: StreamingMfcc) -> float:
    """Seconds of processor time that the front end takes per second of sound."""
    # Noise costs as much as speech: the amount of arithmetic does not depend on the sound.
    sound = np.random.default_rng(0).uniform(-0.1, 0.1, round(_SOUND_S * SAMPLE_RATE)).astype(np.float32)
    blocks = np.split(sound, range(_BLOCK, sound.size, _BLOCK))
    for block in blocks[: len(blocks) // 5]:
        mfcc.push(block)
    begun = time.process_time()
    for block in blocks:
        mfcc.push(block)
    return (time.process_time() - begun) / _SOUND_S


def _whole_factor(recognizer: Recognizer) -> float:
    """Seconds of processor time that everything from sound to turns takes per second of speech."""
    speech = read_file(SPEECH)[: round(_SPEECH_S * SAMPLE_RATE)]
    begun = time.process_time()
    for start in range(0, speech.size, _BLOCK):
        recognizer.push(speech[start : start + _BLOCK])
    recognizer.flush()
    return (time.process_time() - begun) / _SPEECH_S


def _window_s(model: EmotionModel) -> float:
    """Median seconds that one inference takes."""
    window = model.windows(np.zeros((1, model.mfcc_config.n_features), np.float32))[0]
    took = []
    for _ in range(_WARM_UP + _WINDOWS):
        begun = time.perf_counter()
        model.logits(window)
        took.append(time.perf_counter() - begun)
    return float(np.median(took[_WARM_UP:]))


def _frames(model: EmotionModel, seconds: float) -> tuple[int, int]:
    config = model.mfcc_config
    return max(1, round(seconds * config.sample_rate / config.hop_length)), config.n_features
