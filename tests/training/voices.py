"""Speakers who show their emotion by pitch alone: enough to learn from in seconds."""

from pathlib import Path

import numpy as np
import soundfile

from edge.inference.clip import speech_frames
from training.augment import AugmentSettings
from training.clips import Clip
from training.features import Example
from training.recipe import NetworkSettings, Recipe

PITCH = {"angry": 3_000.0, "neutral": 900.0, "sad": 250.0}
LABELS = tuple(PITCH)

TINY = Recipe(
    name="tiny",
    n_frames=48,
    frontend={},  # tones are told apart by their coefficients alone, in a few batches
    network=NetworkSettings(width=16, temporal=0, dropout=0.1),
    # Tones are told apart by where they lie, so little of that may be changed.
    augment=AugmentSettings(warp=0.03, time_mask_frames=5),
    epochs=8,
    batch_size=6,
    learning_rate=4e-3,
    validation_speakers=2,
)

TINY_TOML = """
name = "tiny"
n_frames = 48
epochs = {epochs}
batch_size = 6
learning_rate = 4e-3
validation_speakers = {validation_speakers}
[frontend]
[network]
width = 16
temporal = 0
dropout = 0.1
[augment]
warp = 0.03
time_mask_frames = 5
"""


def voice(emotion, speaker, take):
    """0.6 s of a tone with its overtone, on and off in noise; the speaker shifts the pitch and the level."""
    rng = np.random.default_rng([len(emotion), speaker, take])
    time = np.arange(9_600) / 16_000
    pitch = PITCH[emotion] * (1 + 0.04 * (speaker % 5 - 2)) * rng.uniform(0.97, 1.03)
    # On and off, since what never changes in a turn is not seen of a voice that was not heard before.
    tone = (np.sin(2 * np.pi * pitch * time) + 0.4 * np.sin(4 * np.pi * pitch * time)) * (
        np.sin(2 * np.pi * 5.0 * time) > -0.5
    )
    level = 0.1 + 0.03 * (speaker % 4)
    return (level * tone + 0.003 * rng.standard_normal(time.size)).astype(np.float32)


def clip(emotion, speaker, take, corpus="tones"):
    return Clip(Path(f"{emotion}-{speaker}-{take}.wav"), corpus, f"s{speaker}", emotion, licence="CC0")


def examples(speakers=6, takes=3, labels=LABELS, config=TINY.mfcc_config):
    """What a corpus of these speakers gives after the front end."""
    return [
        Example(clip(e, s, t), np.asarray(speech_frames(voice(e, s, t), config), np.float32))
        for s in range(speakers)
        for t in range(takes)
        for e in labels
    ]


def write_corpus(folder, speakers=6, takes=2, corpus="ravdess", folds=3):
    """The same as files beside a CSV, which is given back."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["path,speaker,emotion,corpus,fold,sex,language,licence"]
    for s in range(speakers):
        for t in range(takes):
            for e in LABELS:
                name = f"{e}-{s}-{t}.wav"
                soundfile.write(folder / name, voice(e, s, t), 16_000)
                lines.append(f"{name},s{s},{e},{corpus},{s % folds + 1},{'fm'[s % 2]},en,CC0")
    table = folder / "corpus.csv"
    table.write_text("\n".join(lines) + "\n")
    return table
