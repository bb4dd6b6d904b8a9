"""P10: the int8 files of P8's folds, on their test clips in noise, in rooms and through microphones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.audio.files import read_file
from edge.inference.clip import speech_frames
from edge.inference.errors import TooShortError
from edge.inference.model import EmotionModel, ModelSettings
from training.clips import Clip
from training.conditions import CONDITIONS, NOISES, Condition, heard, make_bed, noise_of
from training.errors import WorkbenchError
from training.metrics import confusion, grouped, summary, uar
from training.noise import Signal
from training.pool import worker_pool
from training.protocols import Split
from training.provenance import commit
from training.run_folder import read_if_whole, write_whole

NO_ANSWER = -1
"""No speech was found in the clip: counts as wrong"""

HEADLINE = "10 dB"
_CHUNK = 50
_KEPT_IN = "robustness.json"


class RobustnessError(WorkbenchError):
    """Raised when there is no usable fold of P8 to score; the message says where it was looked for."""

    exit_code = 66


class _Kept(msgspec.Struct, kw_only=True):
    """What one int8 file answered so far, kept beside it."""

    flatbuffer_sha256: str
    clips: list[str]
    answers: dict[str, list[int]] = {}
    """For each condition, by name, the index of a label for each clip"""


@dataclass(frozen=True, slots=True)
class ScoredFold:
    """What one int8 file answered under every condition."""

    seed: int
    fold: int
    clips: tuple[Clip, ...]
    answers: dict[str, list[int]]


Progress = Callable[[str, int, int], None]
"""Called with the fold and condition, the clips done, and the clips in all"""


def score_fold(
    split: Split, seed: int, folder: Path, jobs: int, progress: Progress | None = None
) -> ScoredFold:
    """The answers of a finished fold's int8 file under every condition; those already scored are read back.

    Args:
        split: of P8, the one that the fold was trained on.
        seed: of the fold's training.
        folder: of the finished fold.
        jobs: number of processes.
        progress: see `Progress`.

    Raises:
        RobustnessError: when the folder holds no finished fold, or one that was tested on other clips.
    """
    model = folder / "model.tflite"
    clips = _tested_clips(split, folder)
    sha = EmotionModel(ModelSettings(path=str(model))).card.flatbuffer_sha256
    kept = _Kept(flatbuffer_sha256=sha, clips=[clip.path.name for clip in clips])
    file = folder / _KEPT_IN
    known = read_if_whole(file, _Kept)
    if known and (known.flatbuffer_sha256, known.clips) == (sha, kept.clips):
        kept = known
    wanted = [condition for condition in CONDITIONS if condition.name not in kept.answers]
    done = ScoredFold(seed, int(split.name), tuple(clips), kept.answers)
    if not wanted:
        return done
    bed = make_bed(split.train, int(split.name))
    with worker_pool(jobs, _prepare, (model, bed)) as pool:
        for condition in wanted:
            chunks = [clips[i : i + _CHUNK] for i in range(0, len(clips), _CHUNK)]
            answers: list[int] = []
            for part in pool.map(_answers, chunks, [condition] * len(chunks)):
                answers += part
                if progress:
                    progress(f"{folder.name} {condition.name}", len(answers), len(clips))
            kept.answers[condition.name] = answers
            write_whole(file, msgspec.json.encode(kept))
    return done


def _tested_clips(split: Split, folder: Path) -> list[Clip]:
    """The clips that the fold was scored on in P8, so that the condition `clean` is the same as there."""
    result = read_if_whole(folder / "result.json", dict[str, Any])
    if result is None or not (folder / "model.tflite").is_file():
        raise RobustnessError(
            f"{folder}: no finished fold of P8; run `affectd-train evaluate --protocol P8` first, with the "
            "same --runs"
        )
    scored = result["clips"]
    by_name = {clip.path.name: clip for clip in split.test}
    if len(by_name) != len(split.test):
        raise RobustnessError(f"fold {split.name}: two test clips have the same name")
    strange = [name for name in scored if name not in by_name]
    if strange:
        raise RobustnessError(
            f"{folder}: was tested on {strange[0]}, which is not in fold {split.name} of P8: give the same "
            "corpora as for P8"
        )
    return [by_name[name] for name in scored]


_model: EmotionModel
_bed: Signal


def _prepare(model: Path, bed: Signal) -> None:
    global _model, _bed  # in a worker process, which does nothing else
    _model, _bed = EmotionModel(ModelSettings(path=str(model))), bed


def _answers(clips: Sequence[Clip], condition: Condition) -> list[int]:
    return [_answer(clip, condition) for clip in clips]


def _answer(clip: Clip, condition: Condition) -> int:
    signal = heard(read_file(clip.path), clip.path.name, condition, _bed)
    try:
        frames = speech_frames(signal, _model.mfcc_config)
    except TooShortError:
        return NO_ANSWER
    return int(_model.probabilities(frames).argmax())


def robustness_figures(
    labels: Sequence[str], folds: Sequence[ScoredFold], model: dict[str, Any], command: str
) -> dict[str, Any]:
    """P10 as published: `int8` at 10 dB, everything else under `conditions`.

    Args:
        labels: of P8.
        folds: in the order in which to list them.
        model: its description, as in the results of the other protocols.
        command: to record in the result.
    """
    clips = [clip for fold in folds for clip in fold.clips]
    truth = _truth(labels, clips)
    answers = {
        condition.name: np.concatenate([fold.answers[condition.name] for fold in folds])
        for condition in CONDITIONS
    }
    speakers = [clip.speaker for clip in clips]
    clean = answers["clean"]
    conditions: dict[str, Any] = {}
    for name, given in answers.items():
        conditions[name] = {
            **summary(truth, given, speakers),
            "loss": round(uar(truth, clean) - uar(truth, given), 4),
            "no_answer": int(np.sum(given == NO_ANSWER)),
            "per_corpus": grouped([clip.corpus for clip in clips], truth, given),
        }
        if name.endswith("dB"):
            conditions[name]["per_noise"] = _per_noise(clips, truth, clean, given)
    headline = answers[HEADLINE]
    return {
        "protocol": "P10",
        "form": "joint",
        "command": command,
        "commit": commit(),
        "seeds": sorted({fold.seed for fold in folds}),
        "folds": sorted({fold.fold for fold in folds}),
        "model": model,
        "labels": list(labels),
        "float": None,
        "int8": summary(truth, headline, speakers),
        "condition": HEADLINE,
        "conditions": conditions,
        "per_fold": [_fold_row(labels, fold) for fold in folds],
        "per_speaker": grouped(speakers, truth, headline),
        "per_sex": grouped([clip.sex for clip in clips], truth, headline),
        "per_corpus": grouped([clip.corpus for clip in clips], truth, headline),
        "per_language": grouped([clip.language for clip in clips], truth, headline),
        "confusion_int8": confusion(truth, headline, len(labels)),
    }


def _truth(labels: Sequence[str], clips: Sequence[Clip]) -> NDArray[np.integer[Any]]:
    return np.array([labels.index(clip.emotion) for clip in clips])


def _fold_row(labels: Sequence[str], fold: ScoredFold) -> dict[str, Any]:
    truth = _truth(labels, fold.clips)
    return {
        "seed": fold.seed,
        "fold": fold.fold,
        "int8_uar": round(uar(truth, np.array(fold.answers[HEADLINE])), 4),
        "clean_uar": round(uar(truth, np.array(fold.answers["clean"])), 4),
    }


def _per_noise(clips: Sequence[Clip], truth: Any, clean: Any, given: Any) -> dict[str, Any]:
    """UAR with each kind of noise, and the loss against the same clips in clean."""
    kinds = np.array([noise_of(clip.path.name) for clip in clips])
    table = {}
    for kind in NOISES:
        rows = kinds == kind
        if rows.any():
            found = uar(truth[rows], given[rows])
            loss = uar(truth[rows], clean[rows]) - found
            table[kind] = {"uar": round(found, 4), "loss": round(loss, 4)}
    return table
