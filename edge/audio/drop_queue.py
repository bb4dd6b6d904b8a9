"""The bounded queue between an audio callback, which must never wait, and its consumer, which may."""

from __future__ import annotations

import threading
from collections import deque


class DropQueue:
    """Holds the newest chunks of sound; when it is full, the oldest are dropped and counted.

    Args:
        max_frames: Maximum of frames to hold; one chunk is always held, however long.
    """

    def __init__(self, max_frames: int) -> None:
        self._max_frames = max_frames
        self._chunks: deque[tuple[bytes, int]] = deque()
        self._frames = 0
        self._dropped = 0
        self._closed = False
        self._wanted = 1
        self._changed = threading.Condition()

    @property
    def dropped_frames(self) -> int:
        """Frames dropped so far."""
        return self._dropped

    @property
    def closed(self) -> bool:
        """Whether `close` has been called."""
        return self._closed

    def put(self, chunk: bytes, n_frames: int) -> None:
        """Appends a chunk of `n_frames` frames; never waits. A closed queue takes nothing."""
        with self._changed:
            if self._closed:
                return
            self._chunks.append((chunk, n_frames))
            self._frames += n_frames
            while self._frames > self._max_frames and len(self._chunks) > 1:
                _, lost = self._chunks.popleft()
                self._frames -= lost
                self._dropped += lost
            if self._frames >= self._wanted:
                self._changed.notify()

    def get(self, timeout_s: float, n_frames: int = 1) -> bytes | None:
        """The oldest chunks, joined: at least `n_frames` frames, or fewer after `timeout_s` seconds.

        None if nothing came in that time, or once closed.
        """
        with self._changed:
            self._wanted = n_frames
            self._changed.wait_for(lambda: self._frames >= n_frames or self._closed, timeout_s)
            taken, left = [], n_frames
            while self._chunks and left > 0:
                chunk, length = self._chunks.popleft()
                taken.append(chunk)
                left -= length
                self._frames -= length
            return b"".join(taken) if taken else None

    def close(self) -> None:
        """Ends every `get`, in any thread, and discards what is held."""
        with self._changed:
            self._closed = True
            self._chunks.clear()
            self._frames = 0
            self._changed.notify_all()
