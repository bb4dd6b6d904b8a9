"""What the leaning does to speakers who are nearly always neutral; protocols hear all emotions equally often.

    affectd-train evaluate --protocol P5 … --runs RUNS
    python -m benchmarks.one_sided --runs RUNS/P5-in --corpus manifest=CORPORA/manifest.csv --json

Each test clip is judged after ten other turns of its speaker: of all emotions, or eight of ten neutral.
Printed and kept are the UAR and the recall of neutral clips, mean over the folds, of the int8 files.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.inference.model import EmotionModel, ModelSettings
from edge.inference.voice import Voice
from training.commands.common import add_corpus, places_of, read_places
from training.features import Example, FeatureCache
from training.metrics import uar
from training.protocols import plan
from training.provenance import commit
from training.run_folder import read_info, write_whole
from training.scorer import InInt8
from training.scoring import truth_of

_TURNS = 10
_NEUTRAL = {"all emotions": None, "eight of ten neutral": 8}
_RESULT = Path("benchmarks/results/one_sided.json")


def main() -> None:
    """Measure, print, and with --json keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    add_corpus(parser)
    parser.add_argument("--runs", type=Path, required=True, help="folder of the folds of one of P1 to P6")
    parser.add_argument("--json", action="store_true", help=f"write {_RESULT}")
    args = parser.parse_args()
    name = args.runs.name.split("-")[0]
    protocol = plan(name, read_places(args.corpus).clips)
    folds = []
    for split in protocol.splits:
        folder = args.runs / f"seed0-fold{split.name}"
        info = read_info(folder)
        test, _ = FeatureCache(args.cache, info.recipe.mfcc_config).load(split.test)
        model = EmotionModel(ModelSettings(path=str(folder / "model.tflite")))
        scorer = InInt8(model, info, test, range(len(protocol.labels)))
        truth = truth_of(test, protocol.labels)
        calm = truth == protocol.labels.index("neutral")
        row = {"a new voice": _figures(scorer.answered().labels, truth, calm)}
        for words, neutral in _NEUTRAL.items():
            voices = _voices(test, scorer.answers, model, neutral)
            found = scorer.answered(voices)
            row[f"{words}, reference alone"] = _figures(found.by_reference, truth, calm)
            row[f"{words}, leaning off"] = _figures(found.labels, truth, calm)
        folds.append(row)
    rows = {words: _mean([fold[words] for fold in folds]) for words in folds[0]}
    for words, figures in rows.items():
        print(f"{words:40} UAR {figures['uar']:.1%}, neutral clips {figures['neutral_recall']:.1%}")
    places = " ".join(places_of(args.corpus))
    made = {
        "command": f"python -m benchmarks.one_sided --runs RUNS/{args.runs.name} {places}",
        "commit": commit(),
        "protocol": name,
        "folds": len(folds),
        "turns": _TURNS,
        "rows": rows,
    }
    if args.json:
        write_whole(_RESULT, msgspec.json.format(msgspec.json.encode(made), indent=1))


def _mean(figures: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: round(float(np.mean([row[name] for row in figures])), 4) for name in figures[0]}


def _voices(
    test: Sequence[Example], answers: Sequence[NDArray[np.float64]], model: EmotionModel, neutral: int | None
) -> list[Voice]:
    """Each clip's voice after ten others of its turns, so many of them neutral, or as it comes."""
    rng = np.random.default_rng(0)
    means = [e.frames.mean(axis=0) for e in test]
    is_calm = np.array([e.clip.emotion == "neutral" for e in test])
    speakers = np.array([e.clip.speaker for e in test])
    found = []
    for i in range(len(test)):
        others = (speakers == speakers[i]) & (np.arange(len(test)) != i)
        if neutral is None:
            chosen = _some(np.flatnonzero(others), _TURNS, rng)
        else:
            chosen = _some(np.flatnonzero(others & is_calm), neutral, rng)
            chosen += _some(np.flatnonzero(others & ~is_calm), _TURNS - neutral, rng)
        voice = model.new_voice()
        for j in chosen:
            voice.learn(means[j], answers[j])
        found.append(voice)
    return found


def _some(of: NDArray[np.integer[Any]], n: int, rng: np.random.Generator) -> list[int]:
    drawn: list[int] = rng.choice(of, min(n, len(of)), replace=False).tolist()
    return drawn


def _figures(
    answers: Sequence[int], truth: NDArray[np.integer[Any]], calm: NDArray[np.bool_]
) -> dict[str, float]:
    right = np.array(answers) == truth
    return {"uar": uar(truth, np.array(answers)), "neutral_recall": float(right[calm].mean())}


if __name__ == "__main__":
    main()
