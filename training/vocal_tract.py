"""Vocal tract length perturbation: stretching the mel axis moves the resonances (Jaitly and Hinton, 2013)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.floating]


def stretched(mel: Values, factors: Values) -> NDArray[np.float32]:
    """Log mel energies as a vocal tract of another length would give them.

    Args:
        mel: shape (n, n_frames, n_mels).
        factors: of each window, shape (n,); what was in filter `factor * i` moves to filter i.
    """
    n_mels = mel.shape[2]
    at = np.clip(np.arange(n_mels) * factors[:, None], 0.0, n_mels - 1.0)
    below = np.minimum(at.astype(np.int64), n_mels - 2)
    share = (at - below)[:, None, :].astype(np.float32)
    low = np.take_along_axis(mel, below[:, None, :], axis=2)
    high = np.take_along_axis(mel, below[:, None, :] + 1, axis=2)
    return np.asarray(low * (1.0 - share) + high * share, np.float32)
