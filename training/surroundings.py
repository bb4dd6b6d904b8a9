"""What a microphone hears besides the voice: reverberation, other voices, music, noise; on log mel energies.

Their powers add. A turn's frames are taken relative to a point that follows whatever is always there (see
`edge.inference.reference`), so the mean of a window is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from training.background import Background
from training.found_pitch import Contours, Sound, absolute, found, low

if TYPE_CHECKING:
    from training.augment import AugmentSettings

Batch = NDArray[np.float32]
Power = NDArray[np.floating]

NEPER_PER_DB = np.log(10.0) / 10.0
"""Natural logarithm of power for one decibel"""

_MOST_VOICES = 5
_VOICES_APART = 0.5
"""Standard deviation of the interval between two voices, in octaves"""

_DIRECT_TO_TAIL_DB = (-5.0, 10.0)
_TAIL_FRAMES = 5
"""Frames by which the pitch of a room's tail lags behind the voice"""


def surround(
    mel: Batch,
    pitch: Batch,
    inside: NDArray[np.bool_],
    settings: AugmentSettings,
    hop_s: float,
    rng: np.random.Generator,
    backgrounds: Mapping[str, Background],
) -> None:
    """Put some windows of a batch into rooms, among voices, music and noise, in place.

    Args:
        mel: natural logarithms of mel energies, shape (n, n_frames, n_mels).
        pitch: octaves and voicing relative to the voice's own, shape (n, n_frames, 2).
        inside: which frames are sound, shape (n, n_frames).
        settings: how many windows, and how strongly.
        hop_s: seconds from frame to frame.
        rng: draws windows, sounds and strengths.
        backgrounds: `noise` and `music`, each where the settings ask for it.
    """
    alone = [
        Sound(np.exp(window[own]), absolute(contour[own]))
        for window, contour, own in zip(mel, pitch, inside, strict=True)
    ]
    contours = Contours(pitch)
    for i, own in enumerate(inside):
        sounds = _heard(alone, i, settings, hop_s, rng, backgrounds)
        if len(sounds) > 1:
            power = _together(sounds)
            heard = np.log(power)
            mel[i, own] = heard + (mel[i, own].mean(axis=0) - heard.mean(axis=0))
            contours.hear(i, own, found(sounds, power))
    contours.follow()


def _heard(
    alone: list[Sound],
    i: int,
    settings: AugmentSettings,
    hop_s: float,
    rng: np.random.Generator,
    backgrounds: Mapping[str, Background],
) -> list[Sound]:
    """The voice of window i, followed by the sounds added to it."""
    voice = alone[i]
    sounds = [voice]
    if rng.uniform() < settings.rooms_share:
        rt60_s, direct_to_tail_db = rng.uniform(*settings.rt60_s), rng.uniform(*_DIRECT_TO_TAIL_DB)
        sounds.append(_tail(voice, in_room(voice.power, rt60_s, direct_to_tail_db, hop_s)))
    n_frames = len(voice.power)
    voices_share = settings.voices_share if len(alone) > 1 else 0.0
    beside: Sequence[tuple[float, tuple[float, float], Callable[[], list[Sound]]]] = (
        (voices_share, settings.voices_snr_db, lambda: _voices(alone, i, rng)),
        (settings.music_share, settings.music_snr_db, lambda: [backgrounds["music"].excerpt(n_frames, rng)]),
        (settings.noise_share, settings.noise_snr_db, lambda: [backgrounds["noise"].excerpt(n_frames, rng)]),
    )
    for share, snr_db, make in beside:
        if rng.uniform() < share:
            sounds += _at_ratio(sounds, make(), rng.uniform(*snr_db))
    return sounds


def _together(sounds: list[Sound]) -> Power:
    return np.asarray(sum(sound.power for sound in sounds))


def _at_ratio(sounds: list[Sound], others: list[Sound], snr_db: float) -> list[Sound]:
    """The other sounds, scaled so that the sounds are `snr_db` above all of them, below 900 Hz."""
    level = low(_together(sounds)).mean() / low(_together(others)).mean()
    scale = level * np.exp(-snr_db * NEPER_PER_DB)
    return [Sound(other.power * scale, other.pitch) for other in others]


def in_room(power: Power, rt60_s: float, direct_to_tail_db: float, hop_s: float) -> Power:
    """Mel energies (n_frames, n_mels) with an exponential tail after each frame (Polack, 1988).

    Args:
        power: of the sound without the room.
        rt60_s: seconds in which the tail decays by 60 dB.
        direct_to_tail_db: energy of the direct sound over that of all its tail.
        hop_s: seconds from frame to frame.
    """
    from scipy.signal import lfilter  # noqa: PLC0415  # slow to import, and only rooms need it

    decay = 10.0 ** (-6.0 * hop_s / rt60_s)
    tail = lfilter([0.0, decay], [1.0, -decay], power, axis=0)
    share = 10.0 ** (-direct_to_tail_db / 10.0) * (1.0 - decay) / decay
    return np.asarray(power + share * tail)


def _tail(voice: Sound, in_room: Power) -> Sound:
    earlier = np.maximum(np.arange(len(in_room)) - _TAIL_FRAMES, 0)
    return Sound(in_room - voice.power, voice.pitch[earlier])


def _voices(alone: list[Sound], i: int, rng: np.random.Generator) -> list[Sound]:
    """One to five other windows of the batch, equally loud, each starting anywhere and repeated."""
    n_frames = len(alone[i].power)
    others = [j for j in rng.permutation(len(alone)).tolist() if j != i]
    voices = []
    for j in others[: int(rng.integers(_MOST_VOICES)) + 1]:
        power, pitch = alone[j]
        at = (int(rng.integers(len(power))) + np.arange(n_frames)) % len(power)
        apart = (rng.normal(0.0, _VOICES_APART), 0.0)
        voices.append(Sound(power[at] / power.mean(), pitch[at] + apart))
    return voices
