"""One feature vector for each clip, kept on disk, so that an interrupted run can resume."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.audio.errors import AudioError
from edge.audio.files import read_file
from training.clips import Clip, Problem
from training.pool import worker_pool

Vector = NDArray[np.float32]
Extract = Callable[[NDArray[np.float32]], Vector]
"""From a whole recording at 16 kHz, shape (n,), to its features, shape (m,)"""


def load_vectors(
    clips: Sequence[Clip],
    extract: Extract,
    folder: Path,
    jobs: int,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[dict[Path, Vector], list[Problem]]:
    """The vector of every clip under its path, and the clips that cannot be used.

    Args:
        clips: the clips.
        extract: computes the vector; a module-level function, so that it can be sent to another process.
        folder: where the vectors of this function are kept.
        jobs: number of processes.
        progress: called with the clips done and the clips in all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    vectors: dict[Path, Vector] = {}
    problems: list[Problem] = []
    with worker_pool(jobs) as pool:
        results = pool.map(partial(_vector, extract=extract, folder=folder), clips, chunksize=16)
        for done, (clip, result) in enumerate(zip(clips, results, strict=True), 1):
            if isinstance(result, str):
                problems.append(Problem(str(clip.path), result))
            else:
                vectors[clip.path] = result
            if progress:
                progress(done, len(clips))
    return vectors, problems


def _vector(clip: Clip, extract: Extract, folder: Path) -> Vector | str:
    try:
        stat = clip.path.stat()
        key: Any = [str(clip.path.resolve()), stat.st_size, stat.st_mtime_ns]
        kept = folder / (hashlib.sha256(json.dumps(key).encode()).hexdigest()[:24] + ".npy")
        if kept.exists():
            return np.asarray(np.load(kept), np.float32)
        vector = np.asarray(extract(read_file(clip.path)), np.float32)
    except (AudioError, OSError) as error:
        return str(error)
    if not np.isfinite(vector).all():
        return "one of its features is not a finite number"
    partial_file = kept.with_suffix(f".{os.getpid()}.tmp")
    with partial_file.open("wb") as out:
        np.save(out, vector)
    partial_file.replace(kept)
    return vector
