"""openSMILE's eGeMAPSv02 functionals and an RBF-SVM: the usual strong baseline without a network."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.extras import how_to_add
from training.baselines.errors import BaselineError
from training.protocols import LEAVE_ONE_OUT

SAMPLE_RATE = 16_000


def extract(signal: NDArray[np.float32]) -> NDArray[np.float32]:
    """The 88 functionals of eGeMAPSv02 (Eyben et al., 2016) over a recording at 16 kHz, shape (n,).

    Not in a process that has loaded TensorFlow: openSMILE crashes there.
    """
    return np.asarray(_smile().process_signal(signal, SAMPLE_RATE).to_numpy()[0], np.float32)


@cache
def _smile() -> Any:
    try:
        import opensmile  # noqa: PLC0415  # an extra, and only this file needs it
    except ImportError as error:
        raise BaselineError(f"openSMILE is not installed ({error}); {how_to_add('baselines')}") from error
    return opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)


def build(protocol: str, seed: int) -> Any:  # noqa: ARG001  # an SVM is deterministic
    """The classifier, untrained: C is 10 within a corpus and 1 across corpora."""
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415  # slow to import: not for --help
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415
    from sklearn.svm import SVC  # noqa: PLC0415

    return make_pipeline(StandardScaler(), SVC(C=1.0 if protocol == LEAVE_ONE_OUT else 10.0))


def size(fitted: Any) -> tuple[int, int]:
    """Parameters of the classifier, and multiply-accumulates of one answer without the features."""
    machine = fitted[-1]
    distances = int(machine.support_vectors_.size)
    sums = int(machine.dual_coef_.size)
    return distances + sums + int(machine.intercept_.size), distances + sums
