"""One fold of a protocol: train, quantise, and score the float network and the int8 file on new speakers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
import msgspec
import numpy as np

from converter.convert import convert
from edge.inference.model import EmotionModel, ModelSettings
from training.features import FeatureCache
from training.fit import fit, prepared
from training.protocols import Split
from training.recipe import Recipe
from training.run_folder import write_whole
from training.scoring import clip_answers, clip_logits


class FoldResult(msgspec.Struct, frozen=True, kw_only=True):
    """Answers to every test clip of one fold and seed."""

    fold: str
    seed: int
    clips: list[str]
    speakers: list[str]
    sexes: list[str]
    corpora: list[str]
    truth: list[int]
    float_answers: list[int]
    int8_answers: list[int]
    parameters: int
    macs: int
    file_bytes: int
    runtime: str
    best_epoch: int
    validation_uar: float | None
    left_out: list[str]
    """Test clips that could not be read, and why"""


def run_fold(
    split: Split,
    labels: tuple[str, ...],
    recipe: Recipe,
    folder: Path,
    cache: Path,
    progress: Callable[[int, float, float | None], None] | None = None,
) -> FoldResult:
    """Train on the split's training clips and score its test clips; a finished fold is read back.

    Args:
        split: training and test clips.
        labels: the network's outputs.
        recipe: with the seed.
        folder: of this fold and seed.
        cache: folder of the feature cache.
        progress: see `fit`.
    """
    kept = folder / "result.json"
    features = FeatureCache(cache, recipe.mfcc_config)
    training, _ = features.load(split.train, workers=1)
    # Also checks that a finished run is of the same clips, labels and recipe.
    info = fit(training, labels, recipe, folder, progress)
    if kept.exists():
        result = msgspec.json.decode(kept.read_bytes(), type=FoldResult)
        known = {clip.path.name for clip in split.test}
        if len(result.clips) + len(result.left_out) == len(split.test) and known.issuperset(result.clips):
            return result
    test, problems = features.load(split.test, workers=1)
    made = convert(folder, folder / "model.tflite")
    network = keras.models.load_model(folder / "network.keras")
    mean, std = np.array(info.mean, np.float32), np.array(info.std, np.float32)
    logits = clip_logits(network, prepared(test, recipe), mean, std, recipe.n_frames)
    model = EmotionModel(ModelSettings(path=str(folder / "model.tflite")))
    result = FoldResult(
        fold=split.name,
        seed=recipe.seed,
        clips=[e.clip.path.name for e in test],
        speakers=[e.clip.speaker for e in test],
        sexes=[e.clip.sex for e in test],
        corpora=[e.clip.corpus for e in test],
        truth=[labels.index(e.clip.emotion) for e in test],
        float_answers=[int(a) for a in clip_answers(logits, info.temperature)],
        int8_answers=[int(model.probabilities(e.frames).argmax()) for e in test],
        parameters=made.parameters,
        macs=made.macs,
        file_bytes=made.file_bytes,
        runtime=str(model.runtime),
        best_epoch=info.best_epoch,
        validation_uar=info.validation_uar,
        left_out=[str(problem) for problem in problems],
    )
    write_whole(kept, msgspec.json.encode(result))
    return result
