"""The pitch trackers that ours is measured against; all settings but range and step are their defaults."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.frontend.mfcc import MfccConfig
from edge.frontend.pitch import HIGHEST_HZ, LOWEST_HZ, MIDDLE_HZ, StreamingPitch

Signal = NDArray[np.float32]
Values = NDArray[np.float64]

CONFIG = MfccConfig(pitch=True)
RATE, HOP = CONFIG.sample_rate, CONFIG.hop_length
STEP_S = HOP / RATE

VOICED_FROM = 0.5
"""Voicing from which a frame of ours counts as voiced; Praat's own threshold is 0.45"""

_HALF_WINDOW_S = 0.024
"""Time from the middle of the sound that a frame of ours covers to the frame's end"""


@dataclass(frozen=True)
class Track:
    """What a tracker says at each of `moments`."""

    hertz: Values
    voiced: NDArray[np.bool_] | None
    """None for a tracker that does not say"""


Tracker = Callable[[Signal], Track]


def moments(n_samples: int) -> Values:
    """The middle, in seconds, of the sound that each of our frames covers."""
    ends = CONFIG.frame_length + HOP * np.arange(CONFIG.frames_in(n_samples))
    return ends / RATE - _HALF_WINDOW_S


def ours(signal: Signal) -> Track:
    """Our tracker, with the whole signal at once."""
    return _as_track(StreamingPitch(CONFIG).push(signal))


def ours_in_blocks(signal: Signal) -> Track:
    """Our tracker, with half a second at once, as while somebody speaks."""
    stream = StreamingPitch(CONFIG)
    return _as_track(
        np.concatenate([stream.push(signal[i : i + 8_000]) for i in range(0, len(signal), 8_000)])
    )


def _as_track(frames: Values) -> Track:
    return Track(MIDDLE_HZ * 2.0 ** frames[:, 0], frames[:, 1] >= VOICED_FROM)


def _praat() -> Tracker:
    sound = importlib.import_module("parselmouth").Sound

    def track(signal: Signal) -> Track:
        pitch = sound(signal.astype(np.float64), RATE).to_pitch_ac(
            time_step=STEP_S, pitch_floor=LOWEST_HZ, pitch_ceiling=HIGHEST_HZ
        )
        return _nearest(pitch.selected_array["frequency"], float(pitch.xs()[0]), len(signal))

    return track


def _pyin() -> Tracker:
    librosa = importlib.import_module("librosa")

    def track(signal: Signal) -> Track:
        hertz, voiced, _ = librosa.pyin(
            signal, fmin=LOWEST_HZ, fmax=HIGHEST_HZ, sr=RATE, hop_length=HOP, fill_na=0.0
        )
        return _nearest(np.where(voiced, hertz, 0.0), 0.0, len(signal))

    return track


def _yin() -> Tracker:
    librosa = importlib.import_module("librosa")

    def track(signal: Signal) -> Track:
        hertz = librosa.yin(signal, fmin=LOWEST_HZ, fmax=HIGHEST_HZ, sr=RATE, hop_length=HOP)
        return Track(_nearest(hertz, 0.0, len(signal)).hertz, None)

    return track


def _nearest(hertz: Values, first_s: float, n_samples: int) -> Track:
    """A track from frames every `STEP_S` from `first_s` on, 0 where unvoiced; beyond them it is unvoiced."""
    at = np.rint((moments(n_samples) - first_s) / STEP_S).astype(np.int64)
    there = (at >= 0) & (at < len(hertz))
    found = np.where(there, hertz[np.clip(at, 0, len(hertz) - 1)], 0.0)
    return Track(found, found > 0.0)


PEERS: dict[str, tuple[str, Callable[[], Tracker]]] = {
    "Praat": ("praat-parselmouth", _praat),
    "librosa.pyin": ("librosa", _pyin),
    "librosa.yin": ("librosa", _yin),
}
"""Package, and a function that makes the tracker or raises ImportError if the package is not installed"""
