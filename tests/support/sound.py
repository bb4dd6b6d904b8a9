"""Sound for tests, in the forms in which sources take it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .programs import ROOT

DEMO_SPEECH = ROOT / "edge" / "demo_speech.ogg"
"""Eight synthetic utterances with pauses, 16 kHz mono"""

RATE = 16_000


def pcm(samples: NDArray[np.floating[Any]]) -> bytes:
    """Samples in [-1, 1], mono (n,) or interleaved (n, channels), as s16le."""
    return np.clip(np.rint(np.asarray(samples) * 2**15), -(2**15), 2**15 - 1).astype("<i2").tobytes()


def heard(data: bytes) -> NDArray[np.float32]:
    """What a source makes of mono s16le: samples in [-1, 1)."""
    return np.frombuffer(data, "<i2").astype(np.float32) / np.float32(2**15)


def silence(seconds: float) -> bytes:
    return bytes(2 * round(RATE * seconds))


def corpora_folder() -> Path:
    """Where the labelled corpora are, if they are anywhere."""
    return Path(os.environ.get("AFFECTD_CORPORA") or ROOT.parent / "shared" / "corpora")
