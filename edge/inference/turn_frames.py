"""The frames of one turn, computed as if the turn were a recording of its own.

While nobody speaks, sound is only kept, for as long as a new turn may reach back to it: most of what a device
hears is never framed. At the start of a turn the front end has no memory of the sound before it, just as for
the recordings that a network is trained on.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.frontend.mfcc import StreamingMfcc
from edge.frontend.mfcc_config import MfccConfig

Block = NDArray[np.floating[Any]]


class TurnFrames:
    """Takes a stream of sound, and returns the frames of the turns in it."""

    def __init__(self, config: MfccConfig) -> None:
        """Raises FrontendConfigError when a mel filter covers no bin."""
        self._config = config
        self._mfcc = StreamingMfcc(config)
        self._begun = 0
        self._framed: int | None = None
        """Sample of the stream up to which the turn is framed; None while there is no turn"""
        self._frames: NDArray[np.float32]
        self.reset()

    def reset(self) -> None:
        """Forget the sound so far; the next sample is sample 0."""
        self._sound: deque[Block] = deque()
        self._kept_from = 0
        self.samples = 0
        """Samples taken so far"""
        self._forget_turn()

    @property
    def ready(self) -> int:
        """Hops of the stream whose frames the sound so far is enough for."""
        return max(0, self._config.frames_in(self.samples) - self._config.lookahead)

    def push(self, block: Block) -> None:
        """Take the next checked samples (n,)."""
        if len(block):
            self._sound.append(block)
            self.samples += len(block)

    def begin(self, hop: int) -> None:
        """Begin a turn at this hop, whose sound must not have been forgotten."""
        self._forget_turn()
        self._begun = hop
        self._framed = hop * self._config.hop_length

    def until(self, hop: int) -> NDArray[np.float32]:
        """Frames of the turn up to this hop, shape (hop - first hop, n_features), hop <= `ready`."""
        if self._framed is not None and len(self._frames) < hop - self._begun:
            frames = self._mfcc.push(np.concatenate(self._since(self._framed)))
            self._frames = np.concatenate([self._frames, frames])
            self._framed = self.samples
        return self._frames[: hop - self._begun]

    def end(self, hop: int) -> NDArray[np.float32]:
        """End the turn: return its frames as `until` does, and forget them."""
        frames = self.until(hop)
        self._forget_turn()
        return frames

    def forget_before(self, hop: int) -> None:
        """Drop whole blocks that no new turn can reach back to; those that an open turn needs are kept."""
        sample = hop * self._config.hop_length
        if self._framed is not None:
            sample = min(sample, self._framed)
        while self._sound and self._kept_from + len(self._sound[0]) <= sample:
            self._kept_from += len(self._sound.popleft())

    def _forget_turn(self) -> None:
        self._mfcc.reset()
        self._frames = np.empty((0, self._config.n_features), np.float32)
        self._framed = None

    def _since(self, sample: int) -> list[Block]:
        """The sound from this sample on."""
        start, found = self._kept_from, []
        for block in self._sound:
            found.append(block[max(0, sample - start) :])
            start += len(block)
        return found
