"""Writes golden/shipped_model.json: what the shipped model answers to fixed pseudo-random windows.

After the model was replaced, from the root of the repository, in any environment that has a runtime:

    PYTHONPATH=. python tests/inference/make_golden.py

The tests then hold every runtime to these answers.
"""

from pathlib import Path

import msgspec
import numpy as np

from edge.inference.model import EmotionModel

GOLDEN = Path(__file__).parent / "golden" / "shipped_model.json"
SEEDS = range(8)


def window(model: EmotionModel, seed: int) -> np.ndarray:
    """A window like normalised speech: smooth in time, of any level. RandomState never changes its stream."""
    random = np.random.RandomState(seed)
    steps = random.standard_normal((model.card.n_frames, model.mfcc_config.n_features)).cumsum(axis=0)
    return (steps / np.abs(steps).max() * random.uniform(0.5, 4.0)).astype(np.float32)


def main() -> None:
    model = EmotionModel()
    answers = {str(seed): [float(x) for x in model.logits(window(model, seed))] for seed in SEEDS}
    golden = {
        "flatbuffer_sha256": model.card.flatbuffer_sha256,
        "runtime": str(model.runtime),
        "labels": list(model.card.labels),
        "logits": answers,
    }
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_bytes(msgspec.json.format(msgspec.json.encode(golden), indent=1) + b"\n")


if __name__ == "__main__":
    main()
