"""Features of labelled clips, computed as on the device, and cached on disk."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.audio.errors import AudioError
from edge.audio.files import read_file
from edge.frontend.mfcc_config import MfccConfig
from edge.frontend.silero_weights import VoiceNetworkError, find_weights
from edge.inference.clip import speech_frames
from edge.inference.errors import InferenceError
from training.clips import Clip, Problem
from training.pool import worker_pool

Frames = NDArray[np.float32]

_LAYOUT = 3
"""Increase it when the same audio and settings give other frames, so that older caches are not used."""


@dataclasses.dataclass(frozen=True, slots=True)
class Example:
    """A clip and its features."""

    clip: Clip
    frames: Frames
    """Features of the clip from its first to its last speech, shape (n, n_features)"""


class FeatureCache:
    """A folder of cached frames, one file for each clip, named after the audio file's path, size and time.

    Processes can share it: files are written atomically.
    """

    def __init__(self, folder: Path, config: MfccConfig) -> None:
        fingerprint = json.dumps([_LAYOUT, _hears_voices(), dataclasses.asdict(config)], sort_keys=True)
        self._folder = folder / hashlib.sha256(fingerprint.encode()).hexdigest()[:12]
        self._folder.mkdir(parents=True, exist_ok=True)
        self._config = config

    def load(
        self,
        clips: Iterable[Clip],
        progress: Callable[[int, int], None] | None = None,
        workers: int | None = None,
    ) -> tuple[list[Example], list[Problem]]:
        """Frames of every clip; those that are not in the cache are computed.

        Args:
            clips: the clips.
            progress: called with the clips done and the clips in all.
            workers: processes that decode; by default one for each core.

        Returns:
            The examples in the order of the clips, and the clips that cannot be used.
        """
        wanted = list(clips)
        examples: list[Example] = []
        problems: list[Problem] = []
        missing = any(not self._file(clip.path).exists() for clip in wanted if clip.path.exists())
        with worker_pool(workers or os.cpu_count() or 1 if missing else 1) as pool:
            read = partial(_read, cache=self)
            results = pool.map(read, wanted, chunksize=16) if missing else map(read, wanted)
            for done, (clip, result) in enumerate(zip(wanted, results, strict=True), 1):
                if isinstance(result, str):
                    problems.append(Problem(str(clip.path), result))
                else:
                    examples.append(Example(clip, result))
                if progress:
                    progress(done, len(wanted))
        return examples, problems

    def frames(self, path: Path) -> Frames:
        """Frames of one file.

        Raises:
            AudioError: when the file is not usable audio.
            InferenceError: when there is no speech in it.
        """
        kept = self._file(path)
        known = self._kept(kept)
        if known is not None:
            return known
        frames = speech_frames(read_file(path), self._config)
        partial_file = kept.with_suffix(f".{os.getpid()}.tmp")
        with partial_file.open("wb") as out:
            np.save(out, frames)
        partial_file.replace(kept)
        return frames

    def _kept(self, file: Path) -> Frames | None:
        """The cached frames; None if there are none, or if a power cut or a full disk damaged them."""
        try:
            frames = np.load(file)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile):
            return None
        whole = (
            isinstance(frames, np.ndarray)
            and frames.dtype == np.float32
            and frames.ndim == 2
            and frames.shape[0] > 0
            and frames.shape[1] == self._config.n_features
            and bool(np.isfinite(frames).all())
        )
        return frames if whole else None

    def _file(self, path: Path) -> Path:
        stat = path.stat() if path.exists() else None
        # The resolved path, so that a corpus reached by two paths is cached once.
        key: Any = [str(path.resolve()), stat and (stat.st_size, stat.st_mtime_ns)]
        return self._folder / (hashlib.sha256(json.dumps(key).encode()).hexdigest()[:24] + ".npy")


def _hears_voices() -> bool:
    """Whether the network that finds the speech in a clip is installed; without it, the level alone does."""
    try:
        find_weights()
    except VoiceNetworkError:
        return False
    return True


def _read(clip: Clip, cache: FeatureCache) -> Frames | str:
    try:
        return cache.frames(clip.path)
    except (AudioError, InferenceError) as error:
        return str(error)
