"""The figures of a protocol as published: rates are fractions, over all folds and seeds together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from training.adaptation import HEADLINE, TURNS, share_with
from training.calibration import calibration
from training.fold import FoldResult
from training.intensity import arousal_by_intensity
from training.metrics import confusion, grouped, summary, uar
from training.protocols import JOINT, Protocol
from training.provenance import commit, listed
from training.recipe import Recipe

Answers = Callable[[FoldResult], Sequence[int]]
"""Picks the answers to a fold's clips out of its result"""


def figures(
    protocol: Protocol, results: Sequence[FoldResult], command: str, recipe: Recipe
) -> dict[str, Any]:
    """The figures for voices that were never heard before."""
    made = _figures(protocol, results, command, recipe, lambda r: r.float_answers, lambda r: r.int8_answers)
    if recipe.validation_speakers:
        made["calibration"] = calibration(results)
    arousal = arousal_by_intensity(results, protocol.asked) if protocol.name == JOINT else None
    if arousal:
        made["arousal"] = arousal
    return made


def history_figures(
    protocol: Protocol, results: Sequence[FoldResult], command: str, recipe: Recipe, form: str
) -> dict[str, Any]:
    """The figures of the form `adapt` or `enrol`, which uses the networks of the form given as `base`."""
    turns = HEADLINE[form]
    made = _figures(
        protocol,
        results,
        command,
        recipe,
        lambda r: r.float_headlines[form],
        lambda r: r.int8_by_turns[form][str(turns)],
    )
    made |= {"form": form, "base": protocol.form, "k": turns}
    made["share_with_k"] = _shares_with_k(results, form, protocol.asked)
    made["int8_uar_by_k"] = _by_k(results, form, lambda r: r.int8_by_turns)
    if all(r.int8_by_reference for r in results):
        made["int8_uar_by_k_reference_alone"] = _by_k(results, form, lambda r: r.int8_by_reference)
    return made


def _shares_with_k(results: Sequence[FoldResult], form: str, labels: Sequence[str]) -> dict[str, float]:
    """Of all clips, the share that has k clips to be heard before; the others have fewer."""
    clips = [len(r.truth) for r in results]

    def share(k: int) -> float:
        of_folds = [
            share_with(r.speakers, [labels[i] == "neutral" for i in r.truth], form, k) for r in results
        ]
        return round(float(np.average(of_folds, weights=clips)), 4)

    return {str(k): share(k) for k in TURNS[form]}


def _by_k(
    results: Sequence[FoldResult], form: str, answers: Callable[[FoldResult], dict[str, dict[str, list[int]]]]
) -> dict[str, float]:
    """UAR after each number of turns."""
    truth = np.concatenate([r.truth for r in results])
    return {
        str(k): round(uar(truth, np.concatenate([answers(r)[form][str(k)] for r in results])), 4)
        for k in TURNS[form]
    }


def _figures(
    protocol: Protocol,
    results: Sequence[FoldResult],
    command: str,
    recipe: Recipe,
    float_answers: Answers,
    int8_answers: Answers,
) -> dict[str, Any]:
    ordered = sorted(results, key=lambda r: (r.seed, int(r.fold)))
    truth = np.concatenate([r.truth for r in ordered])
    in_float = np.concatenate([float_answers(r) for r in ordered])
    in_int8 = np.concatenate([int8_answers(r) for r in ordered])
    speakers = [s for r in ordered for s in r.speakers]
    return {
        "protocol": protocol.name,
        "form": protocol.form,
        "speaker_dependent": protocol.speaker_dependent,
        "command": command,
        "commit": listed(r.commit or commit() for r in ordered),
        "scored": listed(r.scored or r.commit or commit() for r in ordered),
        "seeds": sorted({r.seed for r in ordered}),
        "folds": sorted({int(r.fold) for r in ordered}),
        "model": {
            "name": recipe.network.shape,
            "features": recipe.features,
            "parameters": ordered[0].parameters,
            "macs": ordered[0].macs,
            "file_bytes": max(r.file_bytes for r in ordered),
            "runtime": ordered[0].runtime,
        },
        "labels": list(protocol.asked),
        "float": summary(truth, in_float, speakers),
        "int8": summary(truth, in_int8, speakers),
        "per_fold": [_row(r, float_answers(r), int8_answers(r)) for r in ordered],
        "per_speaker": grouped(speakers, truth, in_int8),
        "per_sex": grouped([s for r in ordered for s in r.sexes], truth, in_int8),
        "per_corpus": grouped([c for r in ordered for c in r.corpora], truth, in_int8),
        "per_language": grouped([c for r in ordered for c in r.languages], truth, in_int8),
        "confusion_int8": confusion(truth, in_int8, len(protocol.asked)),
        "left_out": sorted({line for r in ordered for line in r.left_out}),
    }


def _row(result: FoldResult, float_answers: Sequence[int], int8_answers: Sequence[int]) -> dict[str, Any]:
    truth = np.array(result.truth)
    return {
        "seed": result.seed,
        "fold": int(result.fold),
        "float_uar": round(uar(truth, np.array(float_answers)), 4),
        "int8_uar": round(uar(truth, np.array(int8_answers)), 4),
        "validation_uar": result.validation_uar and round(result.validation_uar, 4),
        "best_epoch": result.best_epoch,
        "commit": result.commit,
    }
