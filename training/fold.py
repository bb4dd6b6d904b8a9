"""One fold of a protocol: train, quantise, and score the float network and the int8 file on new speakers."""

from __future__ import annotations

from collections.abc import Callable

import keras
import msgspec
import numpy as np

from converter.convert import convert
from edge.inference.model import EmotionModel, ModelSettings, mean_probabilities
from training.adaptation import HEADLINE, TURNS
from training.features import FeatureCache
from training.fit import fit
from training.fold_task import FoldTask
from training.progress import EpochDone
from training.provenance import commit
from training.run_folder import read_if_whole, write_whole
from training.scorer import InFloat, InInt8
from training.unheard import check_unheard


class FoldResult(msgspec.Struct, frozen=True, kw_only=True):
    """Answers to every test clip of one fold and seed."""

    fold: str
    seed: int
    clips: list[str]
    speakers: list[str]
    sexes: list[str]
    corpora: list[str]
    languages: list[str]
    truth: list[int]
    float_answers: list[int]
    int8_answers: list[int]
    int8_probabilities: list[list[float]]
    int8_raw_confidences: list[float]
    """Probability of the likeliest label, without the temperature"""

    float_headlines: dict[str, list[int]]
    """Answers of the float network in the forms `adapt` and `enrol`, see `training.adaptation`"""

    int8_by_turns: dict[str, dict[str, list[int]]]
    """Answers of the int8 file in these forms, for each number of clips heard before"""

    int8_by_reference: dict[str, dict[str, list[int]]] = {}
    """Likewise, with the voice's reference alone: its leaning is not removed"""

    parameters: int
    macs: int
    file_bytes: int
    runtime: str
    temperature: float
    best_epoch: int
    validation_uar: float | None
    left_out: list[str]
    """Test clips that could not be read, and why"""

    commit: str | None = None
    """Commit of the sources that trained it; None in results older than this field"""

    scored: str | None = None
    """Commit of the sources that quantised and scored it; likewise"""

    seconds: float | None = None
    """Duration of the training, in the process that finished it"""


def run_fold(task: FoldTask, progress: Callable[[EpochDone], None] | None = None) -> FoldResult:
    """Train on the split's training clips and score its test clips; a finished fold is read back.

    Args:
        task: the fold, its recipe and its folder.
        progress: see `fit`.
    """
    protocol, split, recipe, folder = task.protocol, task.split, task.recipe, task.folder
    labels, asked = protocol.labels, protocol.asked
    kept = folder / "result.json"
    features = FeatureCache(task.cache, recipe.mfcc_config)
    training, _ = features.load(split.train, workers=1)
    builds_on = [*([task.base] if task.base else []), *task.teachers]
    check_unheard(builds_on, protocol, split, [e.clip for e in training])
    # Also checks that a finished run has the same clips, labels and recipe.
    info = fit(training, labels, recipe, folder, progress, task.base, teachers=task.teachers)
    forms = TURNS if protocol.with_histories else {}
    result = read_if_whole(kept, FoldResult)
    if result:
        known = {clip.path.name for clip in split.test}
        is_whole = len(result.clips) + len(result.left_out) == len(split.test)
        if is_whole and known.issuperset(result.clips) and set(forms) <= set(result.int8_by_turns):
            return result
    test, problems = features.load(split.test, workers=1)
    made = convert(folder, folder / "model.tflite")
    model = EmotionModel(ModelSettings(path=str(folder / "model.tflite")))
    columns = [labels.index(label) for label in asked]
    network = keras.models.load_model(folder / "network.keras", compile=False)
    in_float, in_int8 = InFloat(network, info, test, columns), InInt8(model, info, test, columns)
    # Softmax over the logits of the labels asked for: their probabilities, given that it is one of these.
    logits = [x[:, columns] for x in in_int8.logits]
    probabilities = np.array([mean_probabilities(x, info.temperature) for x in logits])
    answered = {form: {str(k): in_int8.in_form(form, k) for k in forms[form]} for form in forms}
    result = FoldResult(
        fold=split.name,
        seed=recipe.seed,
        clips=[e.clip.path.name for e in test],
        speakers=[e.clip.speaker for e in test],
        sexes=[e.clip.sex for e in test],
        corpora=[e.clip.corpus for e in test],
        languages=[e.clip.language for e in test],
        truth=[asked.index(e.clip.emotion) for e in test],
        float_answers=in_float.answered().labels,
        int8_answers=in_int8.answered().labels,
        int8_probabilities=probabilities.round(4).tolist(),
        int8_raw_confidences=[round(float(mean_probabilities(x, 1.0).max()), 4) for x in logits],
        float_headlines={form: in_float.in_form(form, HEADLINE[form]).labels for form in forms},
        int8_by_turns={form: {k: a.labels for k, a in by_k.items()} for form, by_k in answered.items()},
        int8_by_reference={
            form: {k: a.by_reference for k, a in by_k.items()} for form, by_k in answered.items()
        },
        parameters=made.parameters,
        macs=made.macs,
        file_bytes=made.file_bytes,
        runtime=str(model.runtime),
        temperature=info.temperature,
        best_epoch=info.best_epoch,
        validation_uar=info.validation_uar,
        left_out=[str(problem) for problem in problems],
        commit=info.commit,
        scored=commit(),
        seconds=info.seconds,
    )
    write_whole(kept, msgspec.json.encode(result))
    return result
