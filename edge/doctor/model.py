"""The model: its file, its card, and whether an installed runtime can really run it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from edge.config import Config
from edge.doctor.report import Finding, Stage, Verdict
from edge.inference.model import EmotionModel
from edge.inference.model_file import read_model_file
from edge.inference.runtime import Runtime
from edge.update.in_force import device_store, settings_in_force

_SIXTY_FOUR_BITS = sys.maxsize > 2**32


def examine(config: Config) -> Iterator[Finding]:
    """Check the file and the card, then run one inference.

    Raises:
        InferenceError: when there is no such model, it must not be used, or no runtime can run it.
    """
    settings = settings_in_force(config.model, device_store())
    card, flatbuffer = read_model_file(Path(settings.path))
    yield Finding(
        stage=Stage.MODEL,
        verdict=Verdict.OK,
        message=f"{card.name}: {len(card.labels)} emotions, {len(flatbuffer) / 1000:.0f} kB, its SHA-256 "
        "matches its card",
    )
    model = EmotionModel(settings)
    yield _answers(model)
    yield _runtime(model.runtime)


def _answers(model: EmotionModel) -> Finding:
    probabilities = model.probabilities(np.zeros((1, model.mfcc_config.n_features), np.float32))
    if not np.isclose(probabilities.sum(), 1.0):
        return Finding(
            stage=Stage.MODEL,
            verdict=Verdict.FAIL,
            message=f"the probabilities of one answer sum to {probabilities.sum():.3f}, not to 1",
            remedy="reinstall the TFLite runtime, or choose another model",
        )
    return Finding(stage=Stage.MODEL, verdict=Verdict.OK, message="a test inference succeeds")


def _runtime(runtime: Runtime) -> Finding:
    slower = {
        Runtime.TFLITE_RUNTIME: "LiteRT is several times faster with this kind of model: "
        f"{sys.executable} -m pip install ai-edge-litert",
        Runtime.TENSORFLOW: "LiteRT does the same with a twentieth of the disk space and start-up time: "
        f"{sys.executable} -m pip install ai-edge-litert",
    }
    # There is no LiteRT for 32-bit systems.
    remedy = slower.get(runtime, "") if _SIXTY_FOUR_BITS else ""
    return Finding(
        stage=Stage.MODEL,
        verdict=Verdict.WARN if remedy else Verdict.OK,
        message=f"runs in {runtime.value}",
        remedy=remedy,
    )
