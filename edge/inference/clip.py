"""A recording as one turn: the stretch from its first to its last speech."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.frontend.mfcc import mfcc
from edge.frontend.mfcc_config import MfccConfig
from edge.frontend.vad import EnergyGate, GateSettings, HopLevels, speech_span


def speech_frames(
    signal: NDArray[np.floating[Any]], config: MfccConfig, gate: GateSettings | None = None
) -> NDArray[np.float32]:
    """Frames of a recording from its first to its last speech, shape (n, n_mfcc).

    Where the gate finds no speech, the whole recording counts.

    Args:
        signal: shape (n,), [-1, 1], at `config.sample_rate`.
        config: the front end.
        gate: when a hop counts as speech.
    """
    frames = np.asarray(mfcc(signal, config), np.float32)
    levels = HopLevels(config.hop_length).push(signal)
    hop_s = config.hop_length / config.sample_rate
    span = speech_span(EnergyGate(gate or GateSettings(), hop_s).push(levels))
    return frames if span is None else frames[span[0] : span[1]]
