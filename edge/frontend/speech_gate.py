"""Speech or not, hop by hop: a small network's answer where the level allows it, or the level alone."""

from __future__ import annotations

import logging
from collections import deque
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.frontend.mfcc_config import MfccConfig
from edge.frontend.vad import Detector, EnergyGate, GateSettings, HopLevels
from edge.frontend.voice_net import FRAMES, RunningMean, VoiceNet, VoiceWeights, paired

_LOG = logging.getLogger(__name__)

_NETWORK_MARGIN_DB = 6.0
"""By so much quieter than the energy gate alone would ask for, speech is still heard"""

_LEAST_MARGIN_DB = 0.1


class Hop(msgspec.Struct, frozen=True):
    """One hop, decided."""

    is_speech: bool
    level_db: float
    """Decibels full scale, offset removed"""

    floor_db: float
    """Of the noise, likewise"""

    clipped: int
    """Samples at full scale"""


class SpeechGate:
    """Decides each hop once its MFCC frame is there; the decisions do not hang on how the sound is cut.

    Args:
        settings: which detector, and how eager.
        config: the front end whose frames will come. The network knows only frames of the default one; with
            another, the level alone decides.

    Raises:
        VoiceNetError: when the network's weights cannot be used.
    """

    def __init__(self, settings: GateSettings, config: MfccConfig) -> None:
        self._net: VoiceNet | None = None
        if settings.detector is Detector.NETWORK:
            if config == MfccConfig():
                self._net = VoiceNet(VoiceWeights.load())
            else:
                _LOG.warning(
                    "the model has a front end that the voice network does not know: the level decides"
                )
        self._threshold = settings.threshold
        self._n_features = config.n_features
        self._levels = HopLevels(config.hop_length)
        self._energy = EnergyGate(self._eased(settings), config.hop_length / config.sample_rate)
        self._mean = RunningMean()
        self.reset()

    def reset(self) -> None:
        """Forget the sound so far."""
        self._levels.reset()
        self._energy.reset()
        self._mean.reset()
        if self._net is not None:
            self._net.reset()
        self._waiting: deque[tuple[float, int]] = deque()
        self._frames = np.empty((0, self._n_features), np.float32)

    @property
    def floor_db(self) -> float:
        """The present noise floor in dB full scale."""
        return self._energy.floor_db

    def set_margin(self, margin_db: float) -> None:
        """Ask for so many decibels above the noise floor, as `GateSettings.margin_db`, from the next hop on.

        Raises:
            ValueError: when the margin makes no sense, see `GateSettings`.
        """
        self._energy.set_margin(self._eased(GateSettings(margin_db=margin_db)).margin_db)

    def push(self, block: NDArray[Any], frames: NDArray[np.float32]) -> list[Hop]:
        """Take the next samples (n,) and the frames (m, n_mfcc) that they complete; give what is decided."""
        levels = self._levels.push(block).tolist()
        self._waiting.extend(zip(levels, self._levels.clipped.tolist(), strict=True))
        self._frames = frames if not len(self._frames) else np.concatenate([self._frames, frames])
        if self._net is None:
            voiced = [True] * len(self._frames)
            self._frames = self._frames[:0]
        else:
            steps = paired(self._frames)
            self._frames = self._frames[FRAMES * len(steps) :]
            voiced = self._voiced(self._net, steps)
        return [self._decide(is_voice) for is_voice in voiced]

    def _voiced(self, net: VoiceNet, steps: NDArray[np.float32]) -> list[bool]:
        projected = net.project(self._mean.push(steps))
        answers = [net.step(step) > self._threshold for step in projected]
        return [answer for answer in answers for _ in range(FRAMES)]

    def _decide(self, is_voice: bool) -> Hop:
        level_db, clipped = self._waiting.popleft()
        is_loud = self._energy.step(level_db)
        return Hop(
            is_speech=is_voice and is_loud, level_db=level_db, floor_db=self._energy.floor_db, clipped=clipped
        )

    def _eased(self, settings: GateSettings) -> GateSettings:
        if self._net is None:
            return settings
        margin_db = max(_LEAST_MARGIN_DB, settings.margin_db - _NETWORK_MARGIN_DB)
        return msgspec.structs.replace(settings, margin_db=margin_db)
