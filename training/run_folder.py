"""What a training run leaves for the converter: its card, and windows to calibrate and compare on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.inference.card import ModelCard, describe_frontend, encode_card
from edge.inference.circumplex import circumplex
from edge.inference.windows import cut_windows
from training.features import Example
from training.recipe import Recipe

Frames = NDArray[np.float32]

WINDOW_HOP = 50
"""Frames between the windows of a clip: `window_hop_s` of the device's settings"""

_CALIBRATION_CLIPS = 300


def write_card(
    folder: Path,
    labels: Sequence[str],
    recipe: Recipe,
    mean: Frames,
    std: Frames,
    temperature: float,
    provenance: dict[str, Any],
) -> None:
    """The card of the run, all but the hash of the flatbuffer that does not exist yet."""
    card = ModelCard(
        name=recipe.name,
        labels=tuple(labels),
        frontend=describe_frontend(recipe.mfcc_config),
        n_frames=recipe.n_frames,
        centred=recipe.centred,
        mean=tuple(mean.tolist()),
        std=tuple(std.tolist()),
        temperature=round(temperature, 4),
        uncertain_below=recipe.uncertain_below,
        circumplex={label: circumplex(label) for label in labels},
        provenance=provenance,
        licence=", ".join(provenance["licences"]),
    )
    (folder / "card.json").write_bytes(encode_card(card))


def write_calibration(
    folder: Path, training: Sequence[Example], recipe: Recipe, mean: Frames, std: Frames
) -> None:
    """Windows of prepared training clips, in turn from every label and speaker; the seed pins them."""
    groups: dict[tuple[str, str], list[Example]] = {}
    rng = np.random.default_rng(recipe.seed)
    for i in rng.permutation(len(training)):
        clip = training[i].clip
        groups.setdefault((clip.emotion, clip.speaker), []).append(training[i])
    rounds = range(max(map(len, groups.values())))
    in_turn = [group[turn] for turn in rounds for group in groups.values() if turn < len(group)]
    chosen = in_turn[:_CALIBRATION_CLIPS]
    windows = [cut_windows((e.frames - mean) / std, recipe.n_frames, WINDOW_HOP) for e in chosen]
    np.savez_compressed(
        folder / "calibration.npz",
        windows=np.concatenate(windows),
        clips=[e.clip.path.name for e in chosen],
    )


def write_comparison(folder: Path, examples: Sequence[Example], labels: Sequence[str]) -> None:
    """Clips on which the converter compares the float network with the int8 model."""
    np.savez_compressed(
        folder / "comparison.npz",
        frames=np.concatenate([e.frames for e in examples]),
        lengths=[len(e.frames) for e in examples],
        truth=[labels.index(e.clip.emotion) for e in examples],
        clips=[e.clip.path.name for e in examples],
    )
