"""A recording as one turn: the stretch from its first to its last speech."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.frontend.mfcc import mfcc
from edge.frontend.mfcc_config import MfccConfig
from edge.frontend.vad import EnergyGate, GateSettings, HopLevels, speech_span
from edge.inference.errors import TooShortError

MIN_SECONDS = 0.3
"""The shortest recording that is judged: as much speech as a turn needs"""


def speech_frames(
    signal: NDArray[np.floating[Any]], config: MfccConfig, gate: GateSettings | None = None
) -> NDArray[np.float32]:
    """Frames of a recording from its first to its last speech, shape (n, n_mfcc), n >= 1.

    Where the gate finds no speech in a recording that is loud enough, all of it counts.

    Args:
        signal: shape (n,), [-1, 1], at `config.sample_rate`.
        config: the front end.
        gate: when a hop counts as speech.

    Raises:
        TooShortError: when the recording is too short, or too quiet to hold speech.
    """
    gate = gate or GateSettings()
    seconds = len(signal) / config.sample_rate
    if seconds < MIN_SECONDS:
        raise TooShortError(
            f"{seconds:.2f} s of sound is too short to judge: at least {MIN_SECONDS} s are needed"
        )
    levels = HopLevels(config.hop_length).push(signal)
    loudest = float(levels.max())
    if loudest < gate.least_db:
        raise TooShortError(
            f"no speech: the loudest moment is at {loudest:.0f} dB full scale, below {gate.least_db:.0f}"
        )
    frames = np.asarray(mfcc(signal, config), np.float32)
    hop_s = config.hop_length / config.sample_rate
    span = speech_span(EnergyGate(gate, hop_s).push(levels))
    speech = frames if span is None else frames[span[0] : span[1]]
    if len(speech) == 0:
        raise TooShortError(
            f"no frame of {config.frame_length} samples holds the speech of this recording of "
            f"{seconds:.2f} s: a longer one is needed"
        )
    return speech
