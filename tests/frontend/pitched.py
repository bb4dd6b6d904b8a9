"""Voices whose pitch is known, and what the front end hears of them."""

import numpy as np

from edge.frontend.mfcc import MfccConfig
from edge.frontend.pitch import MIDDLE_HZ, StreamingPitch

from .strategies import noise

RATE = 16_000
CONFIG = MfccConfig(pitch=True)
SEMITONE = 1 / 12
VOWELS = {"a": (700, 1_200, 2_600), "i": (300, 2_200, 3_000), "u": (350, 800, 2_400), "flat": ()}


def resonance(hertz, vowel):
    return 0.1 + sum(1 / np.hypot(1, (hertz - at) / 90) for at in vowel)


def voice(hertz, seconds=0.6, vowel="a", rate=RATE, falling=1.0):
    """Harmonics of a pitch that stands or moves, through the resonances of a mouth; peak 0.3."""
    hertz = np.broadcast_to(np.asarray(hertz, float), round(seconds * rate))
    phase = 2 * np.pi * np.cumsum(hertz) / rate
    sound = np.zeros(hertz.size)
    for k in range(1, int(0.45 * rate / hertz.max()) + 1):
        sound += k**-falling * resonance(k * hertz, VOWELS[vowel]) * np.cos(k * phase)
    return 0.3 * sound / np.abs(sound).max()


def whisper(seconds=0.6, vowel="a", seed=0):
    n = round(seconds * RATE)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(n))
    sound = np.fft.irfft(spectrum * resonance(np.fft.rfftfreq(n, 1 / RATE), VOWELS[vowel]), n)
    return 0.1 * sound / np.abs(sound).max()


def silence(seconds):
    return np.zeros(round(seconds * RATE))


def heard(signal, config=CONFIG):
    """Octaves above the middle, and voicing, of each frame."""
    frames = StreamingPitch(config).push(np.asarray(signal))
    return frames[:, 0], frames[:, 1]


def octaves(hertz):
    return np.log2(np.asarray(hertz) / MIDDLE_HZ)


def inner(values, margin=10):
    """Without the frames that hear where a sound begins or ends."""
    return values[margin:-margin]


def speech_like(seed):
    """A gliding voice, whispering, silence and noise, in an order by the seed."""
    rng = np.random.default_rng(seed)
    glide = rng.uniform(80, 400) * 2 ** np.cumsum(rng.normal(0, 2e-4, 4_800))
    parts = [voice(glide, 0.3), whisper(0.15, seed=seed), silence(0.1), noise(1_600, seed)]
    return np.concatenate([parts[i] for i in rng.permutation(4)])
