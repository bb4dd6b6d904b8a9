"""What is gained by leaving the most extreme windows out of the calibration: int8 against float.

    python -m benchmarks.calibration RUNS/P8-joint/seed0-fold* [--json [PATH]]

Each network is quantised twice, with the ranges of all its calibration windows and with those of the usual
ones. Both int8 models are compared with the float network on the run's comparison clips: those of its
validation speakers, whom the network has not heard, or, if it has none, the first of its training clips.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import keras

from converter.calibration import usual
from converter.convert import NamedClip, read_run
from converter.parity import compare
from converter.quantize import Windows, quantize
from edge.inference.card import ModelCard
from edge.inference.model import EmotionModel, ModelSettings
from edge.inference.model_file import pack_model
from training.provenance import commit
from training.run_folder import read_info

RESULT = Path(__file__).parent / "results" / "calibration.json"


def measure(run: Path) -> dict[str, Any]:
    """How far the two int8 models of a run are from its float network."""
    network, card, windows, clips = read_run(run)
    return {
        "run": f"{run.parent.name}/{run.name}",
        "heard": not read_info(run).validation_speakers,
        "clips": len(clips),
        "all": _distance(network, card, windows, clips),
        "usual": _distance(network, card, usual(network, windows), clips),
    }


def _distance(
    network: keras.Model, card: ModelCard, windows: Windows, clips: list[NamedClip]
) -> dict[str, float]:
    with tempfile.NamedTemporaryFile(suffix=".tflite") as file:
        file.write(pack_model(quantize(network, windows), card))
        file.flush()
        report = compare(network, EmotionModel(ModelSettings(path=file.name)), clips)
    return {
        "windows": len(windows),
        "mean_difference": report.mean_difference,
        "other_answers": round(1.0 - report.agreement, 4),
    }


def main() -> None:
    """Run as a program; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="folder of a finished training run")
    parser.add_argument("--json", nargs="?", type=Path, const=RESULT, help=f"write the results (to {RESULT})")
    args = parser.parse_args()
    measured = []
    for run in args.runs:
        measured.append(measure(run))
        print(_line(measured[-1]), flush=True)
    mean = {
        given: {
            name: round(sum(m[given][name] for m in measured) / len(measured), 5)
            for name in ("mean_difference", "other_answers")
        }
        for given in ("all", "usual")
    }
    print(_line({"run": "mean", **mean}))
    if args.json:
        found = {
            "command": "python -m benchmarks.calibration " + " ".join(f"RUNS/{m['run']}" for m in measured),
            "commit": commit(),
            "mean": mean,
            "runs": measured,
        }
        args.json.write_text(json.dumps(found, indent=1) + "\n")


def _line(m: dict[str, Any]) -> str:
    said = (
        f"{given}: probabilities off by {m[given]['mean_difference']:.4f}, "
        f"{m[given]['other_answers']:.1%} other answers"
        for given in ("all", "usual")
    )
    return f"{m['run']:<28} {' | '.join(said)}"


if __name__ == "__main__":
    main()
