"""A recording as one turn: the stretch from its first to its last speech."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.frontend.mfcc import mfcc
from edge.frontend.mfcc_config import MfccConfig
from edge.frontend.silero import CHUNK
from edge.frontend.speech_gate import SpeechGate
from edge.frontend.vad import EnergyGate, GateSettings, HopLevels, speech_span
from edge.inference.errors import TooShortError
from edge.inference.turns import TurnClosed, TurnDetector, TurnSettings

MIN_SECONDS = 0.3
"""Shortest recording that is classified, in seconds: as much as the speech that a turn needs"""

_BLOCK = 16_000
"""Samples given to the gate at once: it queues the hops that it has not decided, and a long queue is slow"""


def speech_frames(
    signal: NDArray[np.floating[Any]], config: MfccConfig, gate: GateSettings | None = None
) -> NDArray[np.float32]:
    """Frames of a recording from its first to its last speech, shape (n, n_features), n >= 1.

    They extend from the start of the first to the end of the last turn that the daemon would find. If it
    would find no turn, the level alone decides; if no part stands out by its level either, the whole
    recording counts as speech.

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
            f"a recording of {seconds:.2f} s is too short: at least {MIN_SECONDS} s are needed"
        )
    levels = HopLevels(config.hop_length).push(signal)
    loudest = float(levels.max())
    if loudest < gate.least_db:
        raise TooShortError(
            f"no speech: the loudest hop is at {loudest:.0f} dBFS, below the limit of {gate.least_db:.0f}"
        )
    frames = np.asarray(mfcc(signal, config), np.float32)
    span = _turns_span(signal, len(frames), config, gate)
    if span is None:
        span = speech_span(EnergyGate(gate, config.hop_length / config.sample_rate).push(levels))
    speech = frames if span is None else frames[span[0] : span[1]]
    if len(speech) == 0:
        raise TooShortError(
            f"no frame of {config.frame_length} samples fits into the speech of this recording of "
            f"{seconds:.2f} s: give a longer one"
        )
    return speech


def _turns_span(
    signal: NDArray[np.floating[Any]], n_frames: int, config: MfccConfig, gate: GateSettings
) -> tuple[int, int] | None:
    """First hop, and hop after the last, of the turns that the daemon would find; None if there are none."""
    speech_gate = SpeechGate(gate, config)
    detector = TurnDetector(TurnSettings(), config.hop_length / config.sample_rate)
    blocks = [signal[start : start + _BLOCK] for start in range(0, len(signal), _BLOCK)]
    # The network takes whole chunks: silence after the last sample lets the gate decide every hop.
    blocks.append(np.zeros(2 * CHUNK, signal.dtype))
    events = []
    for i, block in enumerate(blocks):
        hops = speech_gate.push(block, n_frames if i == 0 else 0)
        events += [detector.push(hop.is_speech) for hop in hops]
    turns = [turn for turn in (*events, detector.flush()) if isinstance(turn, TurnClosed) and turn.enough]
    return (turns[0].start, turns[-1].speech_end) if turns else None
