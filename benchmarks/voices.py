"""Compares ways to learn a voice from its turns, also for speakers who are nearly always neutral.

    affectd-train evaluate --protocol P5 … --runs RUNS
    python -m benchmarks.voices --runs RUNS/P5-in --corpus manifest=CORPORA/manifest.csv --json

The int8 model classifies each test clip after ten other turns of its speaker, drawn at random from all
emotions, or so that eight of ten are neutral. The figures are the UAR and the recall of neutral clips, each
averaged over the folds.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.inference.leaning import LeaningPrior
from edge.inference.model import EmotionModel, ModelSettings
from edge.inference.reference import ReferencePrior
from edge.inference.voice import Voice
from training.commands.common import add_corpus, places_of, read_places
from training.features import Example, FeatureCache
from training.metrics import uar
from training.protocols import Protocol, Split, plan
from training.provenance import commit
from training.run_folder import read_info, write_whole
from training.scorer import InInt8
from training.scoring import truth_of

_TURNS, _MOSTLY = 10, 8
_BOUNDLESS = 1e6
_RESULT = Path("benchmarks/results/voices.json")

Figures = dict[str, dict[str, float]]


@dataclass(frozen=True)
class _Heard:
    """The test clips of a fold, and what can be known about their voices."""

    means: list[NDArray[np.floating[Any]]]
    answers: list[NDArray[np.float64]]
    found_neutral: NDArray[np.bool_]
    reference: ReferencePrior
    leaning: LeaningPrior


def _by_turns(heard: _Heard, turns: Sequence[int]) -> Voice:
    """As the device does it."""
    voice = Voice(heard.reference, heard.leaning)
    for j in turns:
        voice.learn(heard.means[j], heard.answers[j])
    return voice


def _reference_alone(heard: _Heard, turns: Sequence[int]) -> Voice:
    nothing = msgspec.structs.replace(heard.leaning, voice_variance=0.0)
    return _by_turns(_with(heard, leaning=nothing), turns)


def _leaning_alone(heard: _Heard, turns: Sequence[int]) -> Voice:
    none = (0.0,) * len(heard.reference.voice_variance)
    return _by_turns(
        _with(heard, reference=msgspec.structs.replace(heard.reference, voice_variance=none)), turns
    )


def _without_shrinkage(heard: _Heard, turns: Sequence[int]) -> Voice:
    n = len(heard.reference.voice_variance)
    reference = msgspec.structs.replace(heard.reference, voice_variance=(_BOUNDLESS,) * n)
    leaning = msgspec.structs.replace(heard.leaning, voice_variance=_BOUNDLESS)
    return _by_turns(_with(heard, reference=reference, leaning=leaning), turns)


def _last_three(heard: _Heard, turns: Sequence[int]) -> Voice:
    return _by_turns(heard, turns[-3:])


def _found_neutral(heard: _Heard, turns: Sequence[int]) -> Voice:
    """The turns that the model itself takes for neutral, as if they had been enrolled."""
    voice = Voice(heard.reference, heard.leaning)
    chosen = [j for j in turns if heard.found_neutral[j]]
    voice.enrol([heard.means[j] for j in chosen], [heard.answers[j] for j in chosen])
    return voice


_Form = Callable[[_Heard, Sequence[int]], Voice]
_EVENLY: dict[str, _Form] = {
    "all emotions: reference and leaning, as it is": _by_turns,
    "the reference alone": _reference_alone,
    "the leaning alone": _leaning_alone,
    "both, of the last three turns": _last_three,
    "both, without shrinkage": _without_shrinkage,
    "both, of the turns that are found neutral": _found_neutral,
}
_NEUTRALLY: dict[str, _Form] = {
    "eight of ten neutral: reference and leaning, as it is": _by_turns,
    "eight of ten neutral: the reference alone": _reference_alone,
}


def main() -> None:
    """Measure and print the figures, and with --json write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    add_corpus(parser)
    parser.add_argument("--runs", type=Path, required=True, help="folder of the runs of one of P1 to P6")
    parser.add_argument("--json", action="store_true", help=f"write {_RESULT}")
    args = parser.parse_args()
    name = args.runs.name.split("-")[0]
    protocol = plan(name, read_places(args.corpus).clips)
    folds = [_measure(args.runs, args.cache, protocol, split) for split in protocol.splits]
    rows = {words: _mean([fold[words] for fold in folds]) for words in folds[0]}
    for words, figures in rows.items():
        print(f"{words:55} UAR {figures['uar']:.1%}, neutral clips {figures['neutral_recall']:.1%}")
    places = " ".join(places_of(args.corpus))
    made = {
        "command": f"python -m benchmarks.voices --runs RUNS/{args.runs.name} {places}",
        "commit": commit(),
        "protocol": name,
        "folds": len(folds),
        "turns": _TURNS,
        "rows": rows,
    }
    if args.json:
        write_whole(_RESULT, msgspec.json.format(msgspec.json.encode(made), indent=1))


def _measure(runs: Path, cache: Path, protocol: Protocol, split: Split) -> Figures:
    """Every row of the table, for one fold."""
    folder = runs / f"seed0-fold{split.name}"
    info = read_info(folder)
    if info.leaning is None:
        raise SystemExit(f"{folder}: the run has no prior for leanings; train it again")
    test, _ = FeatureCache(cache, info.recipe.mfcc_config).load(split.test)
    model = EmotionModel(ModelSettings(path=str(folder / "model.tflite")))
    scorer = InInt8(model, info, test, range(len(protocol.labels)))
    neutral = protocol.labels.index("neutral")
    heard = _Heard(
        means=[e.frames.mean(axis=0) for e in test],
        answers=scorer.answers,
        found_neutral=np.array([answer.argmax() == neutral for answer in scorer.answers]),
        reference=info.prior,
        leaning=info.leaning,
    )
    truth = truth_of(test, protocol.labels)
    rows = {"a new voice": _figures(scorer.answered().labels, truth, neutral)}
    for forms, mostly in ((_EVENLY, False), (_NEUTRALLY, True)):
        before = _turns_before(test, mostly)
        for words, form in forms.items():
            answered = scorer.answered([form(heard, turns) for turns in before])
            rows[words] = _figures(answered.labels, truth, neutral)
    return rows


def _turns_before(test: Sequence[Example], mostly_neutral: bool) -> list[list[int]]:
    """For each clip, ten others of its speaker in random order."""
    rng = np.random.default_rng(0)
    calm = np.array([e.clip.emotion == "neutral" for e in test])
    speakers = np.array([e.clip.speaker for e in test])
    before = []
    for i in range(len(test)):
        others = (speakers == speakers[i]) & (np.arange(len(test)) != i)
        if mostly_neutral:
            drawn = _some(others & calm, _MOSTLY, rng) + _some(others & ~calm, _TURNS - _MOSTLY, rng)
            before.append(rng.permutation(drawn).tolist())
        else:
            before.append(_some(others, _TURNS, rng))
    return before


def _some(of: NDArray[np.bool_], n: int, rng: np.random.Generator) -> list[int]:
    there = np.flatnonzero(of)
    drawn: list[int] = rng.choice(there, min(n, len(there)), replace=False).tolist()
    return drawn


def _with(heard: _Heard, **priors: Any) -> _Heard:
    return _Heard(**{**vars(heard), **priors})


def _figures(answers: Sequence[int], truth: NDArray[np.integer[Any]], neutral: int) -> dict[str, float]:
    found = np.array(answers)
    calm = truth == neutral
    return {"uar": uar(truth, found), "neutral_recall": float((found[calm] == neutral).mean())}


def _mean(figures: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: round(float(np.mean([row[name] for row in figures])), 4) for name in figures[0]}


if __name__ == "__main__":
    main()
