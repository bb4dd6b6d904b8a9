"""Trains the voice activity network of `edge.frontend.voice_net` on clips against what is no speech.

    python -m training.voice --corpus manifest=CLIPS.csv --without-fold 1 --output edge/models/voice.npz

The network is so small that a processor trains it in minutes. Its weights are rounded to 8 bits, with a scale
for each column; the figure that is printed is that of the rounded weights, heard by the device's own code.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.frontend.mfcc import mfcc
from edge.frontend.mfcc_config import MfccConfig
from edge.frontend.voice_net import VoiceNet, VoiceWeights, voice_features
from training.corpora import Clip, read_corpus
from training.noises import RATE, TRAINING, Maker
from training.protocols import plan
from training.streams import Stream, babble, make_stream, noise_only

_LOG = logging.getLogger(__name__)

_STREAM_S = 24.0
"""Least length of a training stream"""

_UNITS = 32
_BATCH = 64
_PART_STEPS = 600
"""Length of the pieces that are learned: 12 s"""


def draw_stream(clips: dict[str, list[Clip]], rng: np.random.Generator) -> Stream:
    """One stream as a microphone may hear it: any level, noise, room and pace."""
    makers: list[Maker] = [*TRAINING.values()]
    everybody = [clip for some in clips.values() for clip in some]
    level_db = float(rng.uniform(-45.0, -12.0))
    if rng.random() < 0.3:
        maker = makers[rng.integers(len(makers))]
        return noise_only(_STREAM_S, rng, maker, float(rng.uniform(-65.0, -12.0)))
    chosen = []
    for _ in range(8):
        corpus = list(clips)[rng.integers(len(clips))]
        chosen.append(clips[corpus][rng.integers(len(clips[corpus]))])
    many = rng.random() < 0.2
    noise = babble(everybody) if many else makers[rng.integers(len(makers))]
    clean = rng.random() < 0.2
    stream = make_stream(
        chosen,
        rng,
        noise=None if clean else noise,
        snr_db=float(rng.uniform(4.0 if many else -2.0, 30.0)),
        gap_s=(0.4, float(rng.uniform(1.0, 5.0))),
        room_s=float(rng.choice([0.0, rng.uniform(0.1, 0.7)])),
        level_db=level_db,
    )
    if clean and rng.random() < 0.5:
        # A file that was edited has pauses of digital silence.
        hop = RATE // 100
        quiet = np.repeat(~stream.speech(hop), hop)
        stream.samples[: len(quiet)][quiet] = 0.0
    return stream


def draw_examples(clips: Sequence[Clip], count: int, seed: int) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    """Inputs (n, n_inputs) of the network and its targets (n,) for `count` streams."""
    rng = np.random.default_rng(seed)
    by_corpus: dict[str, list[Clip]] = {}
    for clip in clips:
        # Song is neither: it should not begin a turn, and nobody would complain if it did.
        if clip.corpus != "ravdess_song":
            by_corpus.setdefault(clip.corpus, []).append(clip)
    examples = []
    for number in range(count):
        stream = draw_stream(by_corpus, rng)
        inputs = voice_features(np.asarray(mfcc(stream.samples, MfccConfig()), np.float32))
        speech = stream.speech()
        targets = np.any(speech[: len(speech) // 2 * 2].reshape(-1, 2), axis=1)
        n = min(len(inputs), len(targets))
        examples.append((inputs[:n], targets[:n].astype(np.float32)))
        if number % 50 == 49:
            _LOG.info("%d of %d streams", number + 1, count)
    return examples


def fit(examples: list[tuple[NDArray[Any], NDArray[Any]]], epochs: int, seed: int) -> VoiceWeights:
    """Train the network on whole streams."""
    import keras  # noqa: PLC0415  # TensorFlow takes seconds to load, and --help needs none

    keras.utils.set_random_seed(seed)
    inputs = np.stack([part for x, _ in examples for part in _parts(x)])
    targets = np.stack([part for _, y in examples for part in _parts(y)])[..., None]
    flat = inputs.reshape(-1, inputs.shape[-1])
    mean, std = flat.mean(axis=0), flat.std(axis=0) + 1e-3
    network = keras.Sequential(
        [
            keras.Input((None, inputs.shape[-1])),
            keras.layers.GRU(_UNITS, return_sequences=True, reset_after=False),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    rate = keras.optimizers.schedules.CosineDecay(4e-3, epochs * (len(inputs) // _BATCH + 1))
    network.compile(keras.optimizers.Adam(rate, clipnorm=1.0), "binary_crossentropy", metrics=["accuracy"])
    network.fit((inputs - mean) / std, targets, batch_size=_BATCH, epochs=epochs, verbose=2)
    kernel, recurrent, bias, out, out_bias = (np.asarray(w) for w in network.get_weights())
    return VoiceWeights.rounded(mean, std, kernel, recurrent, bias, out[:, 0], float(out_bias[0]))


def accuracy(weights: VoiceWeights, examples: list[tuple[NDArray[Any], NDArray[Any]]]) -> tuple[float, float]:
    """Share of the speech that is found, and share of the rest that is taken for speech."""
    found, false = [], []
    for inputs, targets in examples:
        net = VoiceNet(weights)
        said = np.array([net.step(x) for x in net.project(inputs)]) > 0.5
        found.append(said[targets > 0.5])
        false.append(said[targets < 0.5])
    return float(np.mean(np.concatenate(found))), float(np.mean(np.concatenate(false)))


def main(argv: Sequence[str] | None = None) -> int:
    """Train, say how good it is on speakers that were left out, and write the weights."""
    parser = argparse.ArgumentParser(prog="python -m training.voice", description=__doc__.partition("\n")[0])
    parser.add_argument("--corpus", required=True, metavar="KIND=PLACE")
    parser.add_argument("--without-fold", default="1", help="fold of P8 whose speakers are left out")
    parser.add_argument("--streams", type=int, default=900)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    kind, _, place = args.corpus.partition("=")
    (split,) = plan("P8", read_corpus(kind, Path(place)).clips, [args.without_fold]).splits
    weights = fit(draw_examples(split.train, args.streams, args.seed), args.epochs, args.seed)
    weights.save(args.output)
    found, false = accuracy(weights, draw_examples(split.test, 40, args.seed + 1))
    sys.stdout.write(
        f"speakers left out, noise of the kinds learned: {found:.3f} of speech found, {false:.3f} false\n"
    )
    return 0


def _parts(values: NDArray[Any]) -> list[NDArray[Any]]:
    starts = range(0, len(values) - _PART_STEPS + 1, _PART_STEPS)
    return [values[start : start + _PART_STEPS] for start in starts]


if __name__ == "__main__":
    sys.exit(main())
