"""What a microphone hears beside the voice: the room's tail, other voices, music, noise; on log mel energies.

Each is arithmetic on power. A turn's frames are taken relative to a point that moves along with whatever is
always there (see `edge.inference.reference`), so a window's mean stays what it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from training.found_pitch import Contours, Sound, absolute, found, low
from training.music import Music

if TYPE_CHECKING:
    from training.augment import AugmentSettings

Batch = NDArray[np.float32]
Power = NDArray[np.floating]

NEPER_PER_DB = np.log(10.0) / 10.0
"""Natural logarithm of power for one decibel"""

_SCATTER = 0.35
"""Standard deviation, in neper, of a mel band's power about its mean from frame to frame of steady noise"""

_NOISE_TILT = (-2.0, 3.0)
"""Natural logarithm of power in the highest band over the middle one, relative to speech as the frames are:
speech itself has 0, pink noise about 2, white noise more"""

_MOST_VOICES = 5
_VOICES_APART = 0.5
"""Standard deviation of the octaves between two voices"""

_DIRECT_TO_TAIL_DB = (-5.0, 10.0)
_TAIL_FRAMES = 5
"""By which the pitch of a room's tail is that of earlier"""

_CHANCE_OCTAVES = (-1.5, 1.2)
"""Above and below the voice's own pitch"""
_CHANCE_VOICING = (0.35, 0.1)
"""Mean and standard deviation of the height of the peaks that chance makes in noise"""
_PEAK_FRAMES = 5


def surround(
    mel: Batch,
    pitch: Batch,
    inside: NDArray[np.bool_],
    settings: AugmentSettings,
    hop_s: float,
    rng: np.random.Generator,
    music: Music | None = None,
) -> None:
    """Put some windows of a batch into rooms, among voices, music and noise, in place.

    Args:
        mel: natural logarithms of mel energies, shape (n, n_frames, n_mels).
        pitch: octaves and voicing relative to the voice's own, shape (n, n_frames, 2).
        inside: which frames are sound, shape (n, n_frames).
        settings: how many windows, and how much of it.
        hop_s: seconds from frame to frame.
        rng: decides.
        music: to take excerpts from; needed where the settings ask for any.
    """
    alone = [
        Sound(np.exp(window[own]), absolute(contour[own]))
        for window, contour, own in zip(mel, pitch, inside, strict=True)
    ]
    contours = Contours(pitch)
    for i, own in enumerate(inside):
        sounds = _heard(alone, i, settings, hop_s, rng, music)
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
    music: Music | None,
) -> list[Sound]:
    """The voice of window i, and what is heard beside it."""
    voice = alone[i]
    sounds = [voice]
    if rng.uniform() < settings.rooms_share:
        rt60_s, direct_to_tail_db = rng.uniform(*settings.rt60_s), rng.uniform(*_DIRECT_TO_TAIL_DB)
        sounds.append(_tail(voice, in_room(voice.power, rt60_s, direct_to_tail_db, hop_s)))
    shape = voice.power.shape
    voices_share = settings.voices_share if len(alone) > 1 else 0.0
    beside: Sequence[tuple[float, tuple[float, float], Callable[[], list[Sound]]]] = (
        (voices_share, settings.voices_snr_db, lambda: _voices(alone, i, rng)),
        (settings.music_share, settings.music_snr_db, lambda: [_excerpt(music, shape[0], rng)]),
        (settings.noise_share, settings.noise_snr_db, lambda: [_steady_noise(shape, rng)]),
    )
    for share, snr_db, make in beside:
        if rng.uniform() < share:
            sounds += _at_ratio(sounds, make(), rng.uniform(*snr_db))
    return sounds


def _together(sounds: list[Sound]) -> Power:
    return np.asarray(sum(sound.power for sound in sounds))


def _at_ratio(sounds: list[Sound], others: list[Sound], snr_db: float) -> list[Sound]:
    """Others, so loud that the sounds are so many decibels above all of them."""
    level = low(_together(sounds)).mean() / low(_together(others)).mean()
    scale = level * np.exp(-snr_db * NEPER_PER_DB)
    return [Sound(other.power * scale, other.pitch) for other in others]


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


def _tail(voice: Sound, in_room: Power) -> Sound:
    earlier = np.maximum(np.arange(len(in_room)) - _TAIL_FRAMES, 0)
    return Sound(in_room - voice.power, voice.pitch[earlier])


def _voices(alone: list[Sound], i: int, rng: np.random.Generator) -> list[Sound]:
    """One to a few other windows of the batch, equally loud, each from its own moment on and over again."""
    n_frames = len(alone[i].power)
    others = [j for j in rng.permutation(len(alone)).tolist() if j != i]
    voices = []
    for j in others[: int(rng.integers(_MOST_VOICES)) + 1]:
        power, pitch = alone[j]
        at = (int(rng.integers(len(power))) + np.arange(n_frames)) % len(power)
        apart = (rng.normal(0.0, _VOICES_APART), 0.0)
        voices.append(Sound(power[at] / power.mean(), pitch[at] + apart))
    return voices


def _excerpt(music: Music | None, n_frames: int, rng: np.random.Generator) -> Sound:
    if music is None:
        raise ValueError("music_share is above 0, and no music was given")
    return music.excerpt(n_frames, rng)


def _steady_noise(shape: tuple[int, ...], rng: np.random.Generator) -> Sound:
    tilt = _tilt(shape[1], _NOISE_TILT, rng)
    return Sound(np.exp(tilt + rng.normal(0.0, _SCATTER, size=shape)), _chance(shape[0], rng))


def _chance(n_frames: int, rng: np.random.Generator) -> Power:
    """The pitch of what has none, shape (n_frames, 2): a low peak anywhere, for as long as a window lasts."""
    peak = np.arange(n_frames) // _PEAK_FRAMES
    octaves = rng.uniform(*_CHANCE_OCTAVES, peak[-1] + 1)
    return np.stack([octaves, rng.normal(*_CHANCE_VOICING, len(octaves))], axis=1)[peak]


def _tilt(n_mels: int, tilt: tuple[float, float], rng: np.random.Generator) -> Power:
    return np.asarray(rng.uniform(*tilt) * np.linspace(-1.0, 1.0, n_mels))
