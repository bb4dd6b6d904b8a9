"""The conditions of P10: what each does to a recording, always the same for the same recording."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.audio.files import read_file
from training.clips import Clip
from training.microphones import CURVES, through
from training.noise import KINDS, Signal, add_noise, babble_bed, excerpt
from training.rooms import in_room, responses

BABBLE = "babble"
NOISES = (*KINDS, BABBLE)
_BED_S = 60.0
_BED_CLIPS = 200


@dataclass(frozen=True, slots=True)
class Condition:
    """Noise at a signal-to-noise ratio, or a room, or a microphone, or none of them."""

    name: str
    snr_db: float | None = None
    rt60_s: float | None = None
    microphone: str | None = None
    """A key of `training.microphones.CURVES`"""


CONDITIONS = (
    Condition("clean"),
    Condition("20 dB", snr_db=20.0),
    Condition("10 dB", snr_db=10.0),
    Condition("5 dB", snr_db=5.0),
    Condition("RT60 0.3 s", rt60_s=0.3),
    Condition("RT60 0.6 s", rt60_s=0.6),
    *(Condition(name, microphone=name) for name in CURVES),
)


def noise_of(name: str) -> str:
    """The kind of noise for a clip of this name, at every ratio; about a quarter of the clips for each."""
    return NOISES[zlib.crc32(name.encode()) % len(NOISES)]


def heard(signal: Signal, name: str, condition: Condition, bed: Signal) -> Signal:
    """A recording as it sounds under a condition.

    Args:
        signal: shape (n,), 16 kHz.
        name: of the clip: determines the noise, the place in the room and everything that is drawn.
        condition: what to do.
        bed: babble to cut an excerpt from.
    """
    if condition.microphone is not None:
        return through(signal, condition.microphone)
    # The condition is not part of the seed: at another ratio, the same noise has only another level.
    rng = np.random.default_rng([zlib.crc32(name.encode()), 1])
    if condition.rt60_s is not None:
        places = responses(condition.rt60_s)
        return in_room(signal, places[int(rng.integers(len(places)))])
    if condition.snr_db is None:
        return signal
    kind = noise_of(name)
    n = signal.size
    noise = excerpt(bed, n, rng) if kind == BABBLE else KINDS[kind](n, rng)
    return add_noise(signal, noise, condition.snr_db)


def make_bed(training: Sequence[Clip], seed: int) -> Signal:
    """A minute of babble by speakers of the training clips, none of whom is tested."""
    rng = np.random.default_rng([seed, 2])
    ordered = sorted(training, key=lambda clip: clip.path.name)
    drawn = rng.choice(len(ordered), min(_BED_CLIPS, len(ordered)), replace=False)
    return babble_bed([read_file(Path(ordered[i].path)) for i in drawn], _BED_S, rng)
