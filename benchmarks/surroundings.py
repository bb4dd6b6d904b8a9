"""Whether the surroundings that training adds change the features as noise added to the samples does.

    python -m benchmarks.surroundings --corpus manifest=~/corpora/manifest.csv [--clips 120] [--json [PATH]]

The noises of P10 are added to the samples of clips, which then go through the front end of the device. The
same clips also go through `training.surroundings`, which works on features. For both, the program computes
the standard deviation of log mel energies, pitch and voicing over the frames of a turn, averaged over turns.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.audio.files import read_file
from edge.frontend.mfcc_config import MfccConfig
from edge.frontend.tables import dct_matrix
from edge.inference.clip import speech_frames
from edge.inference.errors import InferenceError
from training.augment import AugmentSettings
from training.background import NOISE, Background
from training.clips import Clip
from training.commands.common import add_corpus, places_of, read_places
from training.conditions import BABBLE, make_bed
from training.noise import KINDS, Signal, add_noise, excerpt
from training.noises import MUSIC
from training.provenance import commit
from training.surroundings import surround

RESULT = Path(__file__).parent / "results" / "surroundings.json"
RATIOS_DB = (20.0, 10.0, 5.0)
IN_TRAINING = ("noise", "music", "voices")
"""Each has a `_share` and an `_snr_db` in the settings"""

Frames = NDArray[np.float32]

_CONFIG = MfccConfig(pitch=True)
_BATCH = 32


def spreads(turns: Sequence[Frames]) -> dict[str, float]:
    """The spread of log mel energies, pitch and voicing within turns (n_frames, n_features)."""
    undo = dct_matrix(_CONFIG).T
    mel = np.mean([(turn[:, : _CONFIG.n_mfcc] @ undo).std(axis=0) for turn in turns], axis=0)
    low, middle, high = (float(part.mean()) for part in np.array_split(mel, 3))
    octaves, voicing = np.mean([turn[:, _CONFIG.n_mfcc :].std(axis=0) for turn in turns], axis=0)
    found = {"low": low, "middle": middle, "high": high, "octaves": octaves, "voicing": voicing}
    return {name: round(float(value), 3) for name, value in found.items()}


def heard(clips: Sequence[Clip], kind: str, snr_db: float, bed: Signal) -> list[Frames]:
    """Frames of clips with noise added to their samples; a clip without speech in the noise is left out."""
    rng = np.random.default_rng(1)
    turns = []
    for clip in clips:
        signal = read_file(clip.path)
        noise = excerpt(bed, signal.size, rng) if kind == BABBLE else KINDS[kind](signal.size, rng)
        try:
            turns.append(speech_frames(add_noise(signal, noise, snr_db), _CONFIG))
        except InferenceError as error:
            print(f"{clip.path.name}, {kind} of {snr_db:g} dB: {error}")
    return turns


def made(clean: Sequence[Frames], kind: str, snr_db: float) -> list[Frames]:
    """The same frames, as training changes them."""
    rng = np.random.default_rng(1)
    still = AugmentSettings(noise_share=0.0)
    settings = msgspec.structs.replace(still, **{f"{kind}_share": 1.0, f"{kind}_snr_db": (snr_db, snr_db)})
    undo = dct_matrix(_CONFIG).astype(np.float32)
    speech = np.asarray(np.mean([turn.mean(axis=0) for turn in clean], axis=0), np.float32)
    backgrounds = {"noise": Background(_CONFIG, speech, NOISE), "music": Background(_CONFIG, speech, MUSIC)}
    turns: list[Frames] = []
    for start in range(0, len(clean), _BATCH):
        part = [turn - turn.mean(axis=0) for turn in clean[start : start + _BATCH]]
        inside = np.arange(max(map(len, part))) < np.array([[len(turn)] for turn in part])
        frames = np.zeros((*inside.shape, _CONFIG.n_features), np.float32)
        frames[inside] = np.concatenate(part)
        mel, pitch = frames[..., : _CONFIG.n_mfcc] @ undo.T, frames[..., _CONFIG.n_mfcc :]
        surround(mel, pitch, inside, settings, _CONFIG.hop_length / _CONFIG.sample_rate, rng, backgrounds)
        changed = np.concatenate([mel @ undo, pitch], axis=2)
        turns += [window[own] for window, own in zip(changed, inside, strict=True)]
    return turns


def measure(clips: Sequence[Clip], number: int) -> dict[str, Any]:
    """Spreads over randomly drawn clips, by what was added and at which signal-to-noise ratio."""
    rng = np.random.default_rng(0)
    drawn = [clips[i] for i in rng.choice(len(clips), min(number, len(clips)), replace=False)]
    clean = [speech_frames(read_file(clip.path), _CONFIG) for clip in drawn]
    bed = make_bed(clips, 1)
    return {
        "clean": spreads(clean),
        "heard": {
            kind: {f"{db:g}": spreads(heard(drawn, kind, db, bed)) for db in RATIOS_DB}
            for kind in (*KINDS, BABBLE)
        },
        "in_training": {
            kind: {f"{db:g}": spreads(made(clean, kind, db)) for db in RATIOS_DB} for kind in IN_TRAINING
        },
    }


def main() -> None:
    """Run as a program; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    add_corpus(parser)
    parser.add_argument("--clips", type=int, default=120, help="clips to draw (default: %(default)s)")
    parser.add_argument("--json", nargs="?", type=Path, const=RESULT, help=f"write the results (to {RESULT})")
    args = parser.parse_args()
    found = measure(read_places(args.corpus).clips, args.clips)
    command = " ".join(
        ["python -m benchmarks.surroundings", *places_of(args.corpus), "--clips", str(args.clips)]
    )
    written = json.dumps({"command": command, "commit": commit(), **found}, indent=1) + "\n"
    print(written, end="")
    if args.json:
        args.json.write_text(written)


if __name__ == "__main__":
    main()
