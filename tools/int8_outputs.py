"""Compares the model's int8 outputs for recordings between two machines.

`int8_outputs.py make FILE.npz RECORDING...` writes the inputs and outputs of every window. On the other
machine, `compare` with the same arguments computes both again, and exits with 1 if any output is off by more
than one step.
"""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import numpy as np

from edge.audio.files import read_file
from edge.inference.clip import speech_frames
from edge.inference.model import EmotionModel


def outputs(model: EmotionModel, windows: np.ndarray) -> np.ndarray:
    """Int8 outputs (w, n_labels) for normalised windows (w, n_frames, n_features)."""
    scale, zero = model._output["quantization"]
    return np.array([np.rint(model.logits(window) / scale) + zero for window in windows]).astype(np.int8)


def compute(model: EmotionModel, recordings: list[str]) -> dict[str, np.ndarray]:
    """Windows and outputs of each recording, by its name."""
    found = {}
    for name in recordings:
        windows = model.windows(speech_frames(read_file(name), model.mfcc_config))
        found[f"{Path(name).name}:windows"] = windows
        found[f"{Path(name).name}:outputs"] = outputs(model, windows)
    return found


def main(task: str, path: str, recordings: list[str]) -> int:
    """Make or compare; returns the exit code."""
    model = EmotionModel()
    here = compute(model, recordings)
    if task == "make":
        np.savez_compressed(path, **here)
        print(f"{len(recordings)} recordings in {model.runtime.value} on {platform.machine()}")
        return 0
    there = np.load(path)
    names = [name.removesuffix(":outputs") for name in there.files if name.endswith(":outputs")]
    n = sum(there[f"{name}:outputs"].size for name in names)
    same_input = [
        np.abs(outputs(model, there[f"{name}:windows"]).astype(int) - there[f"{name}:outputs"])
        for name in names
    ]
    whole_way = [
        np.abs(here[f"{name}:outputs"].astype(int) - there[f"{name}:outputs"].astype(int)) for name in names
    ]
    features = max(float(np.abs(here[f"{name}:windows"] - there[f"{name}:windows"]).max()) for name in names)
    print(f"{len(names)} recordings, {n} int8 outputs, in {model.runtime.value} on {platform.machine()}")
    worst = 0
    for what, steps in (("from the same features", same_input), ("from the sound on", whole_way)):
        flat = np.concatenate([part.ravel() for part in steps])
        worst = max(worst, int(flat.max()))
        print(f"  {what}: {int((flat == 0).sum())} equal, largest difference {flat.max()} of 255 steps")
    print(f"  features: largest difference {features:.2g} standard deviations")
    return int(worst > 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
