"""Folders as `affectd-train fit` leaves them, of networks small enough to convert in seconds."""

import os
from pathlib import Path

import keras
import numpy as np
import pytest

from converter.convert import convert
from training.clips import Clip
from training.features import Example
from training.networks import build_network
from training.recipe import NetworkSettings, Recipe
from training.reference_prior import reference_prior
from training.run_folder import write_calibration, write_card, write_comparison

# One core: the tests share the machine. TensorFlow reads this with its first operation.
for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ.setdefault(name, "1")

LABELS = ("angry", "neutral", "sad")
RECIPE = Recipe(name="small", n_frames=48, network=NetworkSettings(width=16))
CONFIG = RECIPE.mfcc_config


def speech(clips=30, frames=70, seed=0):
    """Frames in which each label raises coefficients of its own; some clips give several windows."""
    rng = np.random.default_rng(seed)
    made = []
    for i in range(clips):
        label = i % len(LABELS)
        values = rng.standard_normal((frames + 7 * (i % 5), CONFIG.n_features)).astype(np.float32)
        values[:, 2 + 5 * label : 6 + 5 * label] *= 3.0
        clip = Clip(Path(f"{LABELS[label]}-{i}.wav"), "made", f"s{i % 6}", LABELS[label])
        made.append(Example(clip, values))
    return made


@pytest.fixture(scope="session")
def network():
    """Trained for a moment, so that its answers are far apart."""
    keras.utils.set_random_seed(0)
    made = build_network(RECIPE.network, RECIPE.n_frames, CONFIG.n_features, len(LABELS), CONFIG.n_pitch)
    parts = speech(120, seed=1)
    windows = np.stack([e.frames[: RECIPE.n_frames] for e in parts])
    truth = np.array([LABELS.index(e.clip.emotion) for e in parts])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    made.compile(optimizer=keras.optimizers.Adam(3e-3), loss=loss)
    made.fit(windows, truth, batch_size=20, epochs=8, verbose=0)
    return made


@pytest.fixture(scope="session")
def run(network, tmp_path_factory):
    """The run folder of this network."""
    folder = tmp_path_factory.mktemp("run")
    network.save(folder / "network.keras")
    mean, std = np.zeros(CONFIG.n_features, np.float32), np.ones(CONFIG.n_features, np.float32)
    provenance = {"licences": ["CC0"], "training_clips": {"made": 120}}
    prior = reference_prior(speech(60, seed=2))
    write_card(folder, LABELS, RECIPE, mean, std, prior, None, 1.5, provenance)
    write_calibration(folder, speech(60, seed=2), RECIPE, mean, std)
    write_comparison(folder, speech(30, seed=3), LABELS, held_out=True)
    (folder / "run.json").write_text("{}")
    return folder


@pytest.fixture(scope="session")
def converted(run, tmp_path_factory):
    """The model file made of it, and what the converter says of it."""
    path = tmp_path_factory.mktemp("model") / "model.tflite"
    return path, convert(run, path)
