"""Means over time of librosa features and a multi-layer perceptron: what most hobby projects do."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.extras import how_to_add
from training.baselines.errors import BaselineError

SAMPLE_RATE = 16_000


def extract(signal: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means of 40 MFCCs, 12 chroma bins and 128 mel bands of a recording at 16 kHz: shape (180,)."""
    try:
        import librosa  # noqa: PLC0415  # an extra, and only this file needs it
    except ImportError as error:
        raise BaselineError(f"librosa is not installed ({error}); {how_to_add('baselines')}") from error
    spectrum = np.abs(librosa.stft(signal))
    parts = (
        librosa.feature.mfcc(y=signal, sr=SAMPLE_RATE, n_mfcc=40),
        librosa.feature.chroma_stft(S=spectrum, sr=SAMPLE_RATE),
        librosa.feature.melspectrogram(y=signal, sr=SAMPLE_RATE),
    )
    return np.concatenate([part.mean(axis=1) for part in parts]).astype(np.float32)


def build(protocol: str, seed: int) -> Any:  # noqa: ARG001  # the same for every protocol
    """The classifier, untrained; its width and weight decay are tuned within the training clips."""
    from sklearn.model_selection import GridSearchCV  # noqa: PLC0415  # slow to import: not for --help
    from sklearn.neural_network import MLPClassifier  # noqa: PLC0415
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    network = MLPClassifier(batch_size=256, max_iter=500, early_stopping=False, random_state=seed)
    choices = {
        "mlpclassifier__hidden_layer_sizes": [(300,), (300, 150)],
        "mlpclassifier__alpha": [0.01, 1.0],
    }
    return GridSearchCV(make_pipeline(StandardScaler(), network), choices, cv=5)


def size(fitted: Any) -> tuple[int, int]:
    """Weights of the network, and multiply-accumulates of one answer without the features."""
    network = fitted.best_estimator_[-1]
    products = sum(int(weights.size) for weights in network.coefs_)
    return products + sum(int(bias.size) for bias in network.intercepts_), products
