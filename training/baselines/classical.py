"""A protocol with one feature vector for each clip and a scikit-learn classifier instead of a network."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from training.baselines import egemaps, level, librosa_means
from training.baselines.vectors import Extract, Vector
from training.clips import Clip
from training.metrics import confusion, grouped, summary, uar
from training.protocols import Protocol, Split
from training.provenance import commit


@dataclass(frozen=True, slots=True)
class Classical:
    """A baseline: its features and its classifier."""

    extract: Extract
    build: Callable[[str, int], Any]
    """Makes the classifier from the protocol's name and the seed"""

    size: Callable[[Any], tuple[int, int]]
    """Gives the fitted classifier's parameters, and multiply-accumulates of one answer"""

    note: str


CLASSICAL = {
    "egemaps-svm": Classical(
        egemaps.extract,
        egemaps.build,
        egemaps.size,
        "openSMILE eGeMAPSv02 of the whole clip, standardised; RBF-SVM, C 10 (P9: 1). The size is "
        "the classifier's, as joblib writes it; openSMILE itself is not counted.",
    ),
    "egemaps-svm-one-level": Classical(
        level.egemaps_at_one_level,
        egemaps.build,
        egemaps.size,
        "The same of recordings that were brought to one level first, an RMS of -26 dB of full scale each: "
        "as a device hears that knows neither the distance of the mouth nor the gain.",
    ),
    "level-svm": Classical(
        level.extract,
        egemaps.build,
        egemaps.size,
        "One number, the RMS of the recording in dB; the same SVM.",
    ),
    "librosa-mlp": Classical(
        librosa_means.extract,
        librosa_means.build,
        librosa_means.size,
        "Means over time of 40 MFCCs, 12 chroma bins and 128 mel bands (librosa), standardised; multi-layer "
        "perceptron whose width and weight decay are tuned by five-fold cross-validation within the training "
        "clips. The size is the classifier's, as joblib writes it; librosa itself is not counted.",
    ),
}


@dataclass(frozen=True, slots=True)
class _Answers:
    fold: int
    seed: int
    clips: tuple[Clip, ...]
    truth: NDArray[np.integer[Any]]
    answers: NDArray[np.integer[Any]]
    parameters: int
    macs: int
    file_bytes: int


def run_classical(
    name: str,
    protocol: Protocol,
    vectors: Mapping[Path, Vector],
    seeds: Sequence[int],
    command: str,
    progress: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Train and score every fold and seed; the figures, in the form of `training.evaluate.figures`.

    Args:
        name: a key of `CLASSICAL`.
        protocol: with its folds.
        vectors: of all clips; a clip without one is left out.
        seeds: of the classifier.
        command: to record in the result.
        progress: called with a line about each finished fold.
    """
    results = []
    for seed in seeds:
        for split in protocol.splits:
            result = _run_fold(CLASSICAL[name], protocol, split, vectors, seed)
            if progress:
                progress(f"{name} {protocol.name} seed {seed} fold {split.name}: UAR {_uar(result):.1%}")
            results.append(result)
    return _figures(name, protocol, results, command)


def _run_fold(
    baseline: Classical, protocol: Protocol, split: Split, vectors: Mapping[Path, Vector], seed: int
) -> _Answers:
    labels = protocol.asked
    train = [clip for clip in split.train if clip.path in vectors and clip.emotion in labels]
    test = tuple(clip for clip in split.test if clip.path in vectors)
    fitted = baseline.build(protocol.name, seed)
    # On matrices as small as these, threads mostly wait for each other.
    with threadpool_limits(1):
        fitted.fit([vectors[c.path] for c in train], [labels.index(c.emotion) for c in train])
    answers = np.asarray(fitted.predict([vectors[c.path] for c in test]))
    parameters, macs = baseline.size(fitted)
    written = io.BytesIO()
    joblib.dump(fitted, written)
    truth = np.array([labels.index(c.emotion) for c in test])
    return _Answers(int(split.name), seed, test, truth, answers, parameters, macs, written.getbuffer().nbytes)


def _uar(result: _Answers) -> float:
    return uar(result.truth, result.answers)


def _figures(name: str, protocol: Protocol, results: Sequence[_Answers], command: str) -> dict[str, Any]:
    truth = np.concatenate([r.truth for r in results])
    answers = np.concatenate([r.answers for r in results])
    clips = [clip for r in results for clip in r.clips]
    speakers = [clip.speaker for clip in clips]
    return {
        "protocol": protocol.name,
        "form": protocol.form,
        "speaker_dependent": protocol.speaker_dependent,
        "command": command,
        "commit": commit(),
        "seeds": sorted({r.seed for r in results}),
        "folds": sorted({r.fold for r in results}),
        "model": {
            "name": name,
            "parameters": max(r.parameters for r in results),
            "macs": max(r.macs for r in results),
            "file_bytes": max(r.file_bytes for r in results),
            "runtime": "scikit-learn",
        },
        "note": CLASSICAL[name].note,
        "labels": list(protocol.asked),
        "float": summary(truth, answers, speakers),
        "int8": None,
        "per_fold": [
            {"seed": r.seed, "fold": r.fold, "float_uar": round(_uar(r), 4), "int8_uar": None}
            for r in results
        ],
        "per_speaker": grouped(speakers, truth, answers),
        "per_sex": grouped([clip.sex for clip in clips], truth, answers),
        "per_corpus": grouped([clip.corpus for clip in clips], truth, answers),
        "per_language": grouped([clip.language for clip in clips], truth, answers),
        "confusion_float": confusion(truth, answers, len(protocol.asked)),
    }
