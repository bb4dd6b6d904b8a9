"""The sounds for the pitch trackers: made voices, whose pitch is known, and clips of the labelled corpora."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.pitch_trackers import RATE, Signal, Track, Values, moments
from edge.audio.files import read_file
from training.clips import Clip

_VOWELS = (
    (700.0, 1_200.0, 2_600.0),
    (300.0, 2_200.0, 3_000.0),
    (350.0, 800.0, 2_400.0),
    (500.0, 1_500.0, 2_500.0),
)
"""Formant frequencies in hertz: a, i, u and schwa"""

_RESONANCE_HZ = 90.0
"""Width of a formant"""

_PART_S, _FADE_S = 0.6, 0.02
_NEAR_S = 0.04
"""Within this distance of where a voice begins or ends, a frame covers both voice and pause"""


@dataclass(frozen=True)
class Known:
    """A sound, and what is known about it at `moments`."""

    samples: Signal
    truth: Track
    counts: NDArray[np.bool_]
    """False where the truth is not clear"""


def made_voices(count: int, rng: np.random.Generator) -> Iterator[Known]:
    """Voices of 80 to 400 Hz that glide by up to five semitones over four vowels, whisper and pause."""
    for i, middle in enumerate(np.geomspace(80.0, 400.0, count)):
        yield _made_voice(float(middle), i, rng)


def _made_voice(middle_hz: float, number: int, rng: np.random.Generator) -> Known:
    n_parts = 8
    time = np.arange(round(n_parts * _PART_S * RATE)) / RATE
    semitones = rng.uniform(2.0, 5.0) * np.sin(
        2.0 * np.pi * rng.uniform(0.3, 0.8) * time + rng.uniform(0.0, 6.0)
    )
    hertz = middle_hz * 2.0 ** (semitones / 12.0)
    phase = 2.0 * np.pi * np.cumsum(hertz) / RATE
    part = np.minimum((time / _PART_S).astype(np.int64), n_parts - 1)
    within = time - part * _PART_S
    fade = np.clip(np.minimum(within, _PART_S - within) / _FADE_S, 0.0, 1.0)
    sound = np.zeros(time.size)
    for k in range(n_parts):
        here = part == k
        vowel = _VOWELS[(number + k) % len(_VOWELS)]
        if k % 2 == 0:
            sound[here] = _voiced(phase[here], hertz[here], vowel) * fade[here]
        elif k % 4 == 1:
            sound[here] = 0.05 * _whispered(int(here.sum()), vowel, rng) * fade[here]
    voiced = part % 2 == 0
    at = moments(time.size)
    sample = np.clip(np.rint(at * RATE).astype(np.int64), 0, time.size - 1)
    edge = np.minimum(within, _PART_S - within)[sample]
    samples = 0.3 * sound / np.abs(sound).max() + rng.normal(0.0, 1e-4, time.size)
    known = np.where(voiced, hertz, 0.0)[sample]
    return Known(samples.astype(np.float32), Track(known, known > 0.0), edge > _NEAR_S)


def _voiced(phase: Values, hertz: Values, vowel: Sequence[float]) -> Values:
    """Harmonics that fall by 12 dB per octave, as in a voice, raised by the formants."""
    sound = np.zeros(phase.size)
    for k in range(1, int(RATE / 2 / hertz.max())):
        sound += _gain(k * hertz, vowel) / k**2 * np.cos(k * phase)
    return sound / np.sqrt(np.mean(sound**2))


def _whispered(n: int, vowel: Sequence[float], rng: np.random.Generator) -> Values:
    spectrum = np.fft.rfft(rng.standard_normal(n)) * _gain(np.fft.rfftfreq(n, 1.0 / RATE), vowel)
    sound = np.fft.irfft(spectrum, n)
    return np.asarray(sound / np.sqrt(np.mean(sound**2)))


def _gain(hertz: Values, vowel: Sequence[float]) -> Values:
    return np.asarray(sum(1.0 / np.sqrt(1.0 + ((hertz - at) / _RESONANCE_HZ) ** 2) for at in vowel) + 0.1)


def chosen(clips: Sequence[Clip], each: int, rng: np.random.Generator) -> Iterator[tuple[Clip, Signal]]:
    """`each` random clips of every corpus and sex, of any emotion."""
    groups: dict[tuple[str, str], list[Clip]] = {}
    for clip in clips:
        groups.setdefault((clip.corpus, clip.sex), []).append(clip)
    for _, group in sorted(groups.items()):
        for i in rng.choice(len(group), min(each, len(group)), replace=False):
            yield group[i], read_file(group[i].path).astype(np.float32)
