"""What the front end computes from a recording, as a picture that is small enough to send."""

from __future__ import annotations

import base64
from collections.abc import Callable

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.audio.block import Block
from edge.frontend.mfcc import StreamingMfcc
from edge.frontend.mfcc_choices import Log
from edge.frontend.mfcc_config import MfccConfig
from edge.frontend.pitch import MIDDLE_HZ, VOICED, StreamingPitch
from edge.frontend.tables import hertz_to_mel, mel_to_hertz

MOST_COLUMNS = 6_000
"""Maximum width of a picture: a minute at one column per frame of 10 ms, more than any screen shows"""

RANGE_DB = 80.0
"""Anything further below the loudest level is drawn as silence"""

_DECIBELS = 10.0 / np.log(10.0)

Frames = NDArray[np.floating]


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """Log mel energies of a recording, as the device computes them."""

    columns: int
    bands: int
    column_s: float
    """Seconds from one column to the next"""

    levels: str
    """One byte per band of each column, in base64: band 0 of column 0, band 1 of column 0, …; 0 is
    `low_db` and 255 is `high_db`"""

    low_db: float
    high_db: float
    band_hz: tuple[float, ...]
    """Centre frequency of each band in hertz"""

    pitch_hz: tuple[int | None, ...] | None = None
    """Pitch in each column in hertz, null where the sound is not voiced; null as a whole if the model's front
    end does not compute pitch"""


def draw(sound: Block, config: MfccConfig, look: Callable[[], None], piece: int = 16_000) -> Picture | None:
    """The picture of a recording; None if it is too short for a frame.

    Args:
        sound: shape (n,), 16 kHz.
        config: of the model's front end.
        look: called after every piece; raises to end the work.
        piece: samples per piece.
    """
    mels, pitch = StreamingMfcc(config), StreamingPitch(config) if config.pitch else None
    bands, contour = [], []
    for start in range(0, len(sound), piece):
        block = sound[start : start + piece]
        bands.append(mels.push_log_mel(block))
        if pitch is not None:
            contour.append(pitch.push(block))
        look()
    if not sum(map(len, bands)):
        return None
    return picture_of(np.concatenate(bands), np.concatenate(contour) if contour else None, config)


def picture_of(log_mel: Frames, pitch: Frames | None, config: MfccConfig) -> Picture:
    """The picture of frames (n, n_mels), n >= 1, and of their pitch and voicing (n, 2)."""
    step = -(-len(log_mel) // MOST_COLUMNS)
    firsts = np.arange(0, len(log_mel), step)
    columns = np.maximum.reduceat(log_mel, firsts, axis=0)
    if config.log is not Log.DECIBEL:
        columns = columns * _DECIBELS
    high = float(columns.max())
    low = high - RANGE_DB
    levels = np.clip(np.rint((columns - low) * (255.0 / RANGE_DB)), 0, 255).astype(np.uint8)
    return Picture(
        columns=len(columns),
        bands=columns.shape[1],
        column_s=step * config.hop_length / config.sample_rate,
        levels=base64.b64encode(levels.tobytes()).decode(),
        low_db=round(low, 1),
        high_db=round(high, 1),
        band_hz=_band_centres(config),
        pitch_hz=None if pitch is None else _pitch(pitch, firsts, step),
    )


def _pitch(pitch: Frames, firsts: NDArray[np.int64], step: int) -> tuple[int | None, ...]:
    """For each column, the pitch of its most voiced frame."""
    found = []
    for first in firsts.tolist():
        octaves, voicing = max(pitch[first : first + step].tolist(), key=lambda frame: frame[1])
        found.append(round(MIDDLE_HZ * 2.0**octaves) if voicing >= VOICED[0] else None)
    return tuple(found)


def _band_centres(config: MfccConfig) -> tuple[float, ...]:
    low, high = hertz_to_mel(np.array([config.fmin, config.fmax]), config.mel_scale).tolist()
    mels = np.linspace(low, high, config.n_mels + 2)[1:-1]
    return tuple(round(hertz, 1) for hertz in mel_to_hertz(mels, config.mel_scale).tolist())
