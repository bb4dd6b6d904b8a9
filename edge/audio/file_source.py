"""A sound file as a source: as fast as it can be read, or in real time."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator

from edge.audio.block import SAMPLE_RATE, Block, Frames
from edge.audio.files import SoundFile
from edge.audio.resample import Resampler
from edge.audio.settings import Channel


class FileSource:
    """Streams a sound file; never holds more than one block of it.

    Args:
        path: Any file that libsndfile reads.
        realtime: Give each block when a microphone would have, by the monotonic clock. A consumer that
            has fallen behind gets the overdue blocks at once.
        channel: Which channel to keep, or "mix".
        block_ms: Milliseconds of sound to read at a time.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        realtime: bool = False,
        channel: Channel = "mix",
        block_ms: int = 20,
    ) -> None:
        self._path = path
        self._realtime = realtime
        self._channel: Channel = channel
        self._block_ms = block_ms
        self.unhurried = False
        self._closed = threading.Event()
        self._lock = threading.RLock()
        self._file: SoundFile | None = None

    def blocks(self) -> Iterator[Block]:
        """The blocks of the file, once.

        Raises:
            AudioError: any that `edge.audio.files.read_file` raises.
        """
        try:
            yield from self._paced() if self._realtime else self._decoded()
        finally:
            self.close()

    def close(self) -> None:
        """Ends `blocks()`, from any thread; a second call does nothing."""
        self._closed.set()
        with self._lock:
            if self._file is not None:
                self._file.close()

    def _decoded(self) -> Iterator[Block]:
        with self._lock:
            if self._closed.is_set():
                return
            self._file = file = SoundFile(self._path)
        resampler = Resampler(file.rate, file.channels, self._channel)
        n_frames = max(1, file.rate * self._block_ms // 1000)
        while (frames := self._read(file, n_frames)) is not None:
            ended = not len(frames)
            block = resampler.flush() if ended else resampler.push(frames)
            if block.size:
                yield block
            if ended:
                return

    def _read(self, file: SoundFile, n_frames: int) -> Frames | None:
        with self._lock:
            return None if self._closed.is_set() else file.read(n_frames)

    def _paced(self) -> Iterator[Block]:
        start = time.monotonic()
        n_samples = 0
        for block in self._decoded():
            n_samples += block.size
            due = start + n_samples / SAMPLE_RATE
            if self._closed.wait(max(0.0, due - time.monotonic())):
                return
            yield block
