"""The libraries that the front end is measured against, each called as its documentation shows.

Every peer gets the sample type that suits it best, and our front end gets the same array and settings.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.frontend.mfcc import MfccConfig

Signal = NDArray[Any]


@dataclass(frozen=True)
class Peer:
    """One library with one set of settings."""

    call: str
    """The call, as one would type it"""
    dtype: type[np.floating[Any]]
    config: MfccConfig
    """The same settings for our front end"""
    compute: Callable[[Signal], Signal]
    """Coefficients of a signal, shape (frames, n_mfcc)"""


def _python_speech_features() -> Peer:
    library = importlib.import_module("python_speech_features")
    return Peer(
        call="mfcc(signal, 16000, nfilt=40)",
        dtype=np.float64,
        config=MfccConfig.python_speech_features(nfilt=40),
        compute=lambda signal: library.mfcc(signal, 16_000, nfilt=40),
    )


def _librosa() -> Peer:
    settings = {
        "sr": 16_000,
        "n_mfcc": 40,
        "n_fft": 512,
        "hop_length": 160,
        "win_length": 400,
        "n_mels": 40,
    }
    arguments = ", ".join(f"{name}={value}" for name, value in settings.items())
    return _librosa_with(settings, f"feature.mfcc(y=signal, {arguments})")


def _librosa_defaults() -> Peer:
    return _librosa_with({"sr": 16_000}, "feature.mfcc(y=signal, sr=16000)")


def _librosa_with(settings: dict[str, int], call: str) -> Peer:
    feature = importlib.import_module("librosa").feature
    return Peer(
        call=call,
        dtype=np.float32,
        config=MfccConfig.librosa(**settings),  # type: ignore[arg-type]  # whole numbers all
        compute=lambda signal: feature.mfcc(y=signal, **settings).T,
    )


def _tf_signal(*, compiled: bool) -> Peer:
    tf = importlib.import_module("tensorflow")
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)

    def compute(signal: Any) -> Any:
        stfts = tf.signal.stft(signal, frame_length=400, frame_step=160, fft_length=512)
        weights = tf.signal.linear_to_mel_weight_matrix(40, 257, 16_000, 80.0, 7_600.0)
        mels = tf.tensordot(tf.abs(stfts), weights, 1)
        return tf.signal.mfccs_from_log_mel_spectrograms(tf.math.log(mels + 1e-6))[..., :13]

    run = tf.function(compute) if compiled else compute
    return Peer(
        call="stft(400, 160, 512), 40 bands of 80 to 7600 Hz, log(x + 1e-6), 13 coefficients, "
        + ("in a tf.function" if compiled else "eager"),
        dtype=np.float32,
        config=MfccConfig.tf_signal(frame_length=400, frame_step=160, fft_length=512, num_mel_bins=40),
        compute=lambda signal: run(signal).numpy(),
    )


PEERS: dict[str, Callable[[], Peer]] = {
    "python_speech_features": _python_speech_features,
    "librosa": _librosa,
    "librosa, its defaults": _librosa_defaults,
    "tf.signal": lambda: _tf_signal(compiled=False),
    "tf.signal, compiled": lambda: _tf_signal(compiled=True),
}
"""Each raises ImportError where the library is not installed"""

MISSING = {"torchaudio": "no build for machines without a GPU is available here"}
