"""What a microphone hears beside the voice: the room's tail, other voices, steady noise; on log mel energies.

Each is arithmetic on power. A turn's frames are taken relative to a point that moves along with whatever is
always there (see `edge.inference.reference`), so a window's mean stays what it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from training.augment import AugmentSettings

Batch = NDArray[np.float32]
Power = NDArray[np.floating]

NEPER_PER_DB = np.log(10.0) / 10.0
"""Natural logarithm of power for one decibel"""

_SCATTER = 0.35
"""Standard deviation, in neper, of a mel band's power about its mean from frame to frame of steady noise"""

_MOST_VOICES = 5
_DIRECT_TO_TAIL_DB = (-5.0, 10.0)


def surround(
    mel: Batch,
    inside: NDArray[np.bool_],
    settings: AugmentSettings,
    hop_s: float,
    rng: np.random.Generator,
) -> Batch:
    """Put some windows of a batch into rooms, among voices and into noise, in place.

    Args:
        mel: natural logarithms of mel energies, shape (n, n_frames, n_mels).
        inside: which frames are sound, shape (n, n_frames).
        settings: how many windows, and how much of it.
        hop_s: seconds from frame to frame.
        rng: decides.

    Returns:
        The share of the voice itself in what is heard of each moment, shape (n, n_frames, n_mels).
    """
    share = np.ones_like(mel)
    alone = [np.exp(window[own]) for window, own in zip(mel, inside, strict=True)]
    for i, own in enumerate(inside):
        power = alone[i]
        if rng.uniform() < settings.rooms_share:
            power = in_room(power, rng.uniform(*settings.rt60_s), rng.uniform(*_DIRECT_TO_TAIL_DB), hop_s)
        if rng.uniform() < settings.voices_share and len(alone) > 1:
            power = _with(power, _voices(alone, i, rng), rng.uniform(*settings.voices_snr_db))
        if rng.uniform() < settings.noise_share:
            power = _with(power, _steady_noise(power.shape, rng), rng.uniform(*settings.noise_snr_db))
        if power is not alone[i]:
            share[i, own] = alone[i] / power
            heard = np.log(power)
            mel[i, own] = heard + (mel[i, own].mean(axis=0) - heard.mean(axis=0))
    return share


def in_room(power: Power, rt60_s: float, direct_to_tail_db: float, hop_s: float) -> Power:
    """Mel energies (n_frames, n_mels) with an exponential tail behind each frame (Polack, 1988).

    Args:
        power: of the sound without the room.
        rt60_s: seconds in which the tail decays by 60 dB.
        direct_to_tail_db: energy of the direct sound over that of all its tail.
        hop_s: seconds from frame to frame.
    """
    from scipy.signal import lfilter  # noqa: PLC0415  # a recipe without rooms need not wait for it

    decay = 10.0 ** (-6.0 * hop_s / rt60_s)
    tail = lfilter([0.0, decay], [1.0, -decay], power, axis=0)
    share = 10.0 ** (-direct_to_tail_db / 10.0) * (1.0 - decay) / decay
    return np.asarray(power + share * tail)


def _with(power: Power, other: Power, snr_db: float) -> Power:
    return np.asarray(power + other * (power.mean() / other.mean() * np.exp(-snr_db * NEPER_PER_DB)))


def _voices(alone: list[Power], i: int, rng: np.random.Generator) -> Power:
    """One to a few other windows of the batch, equally loud, each from its own moment on and over again."""
    n_frames = len(alone[i])
    others = [j for j in rng.permutation(len(alone)).tolist() if j != i]
    total = np.zeros_like(alone[i])
    for j in others[: int(rng.integers(_MOST_VOICES)) + 1]:
        at = (int(rng.integers(len(alone[j]))) + np.arange(n_frames)) % len(alone[j])
        total += alone[j][at] / alone[j].mean()
    return total


def _steady_noise(shape: tuple[int, ...], rng: np.random.Generator) -> Power:
    """Noise with a tilted spectrum; relative to speech, as the frames are, it has that of speech itself."""
    tilt = rng.uniform(-2.0, 0.5) * np.linspace(-1.0, 1.0, shape[1])
    return np.asarray(np.exp(tilt + rng.normal(0.0, _SCATTER, size=shape)))
