"""Noise to test speech in, synthesised and reproducible from its seed: pink, hum, babble and music.

All functions give float32 of shape (n,) at `SAMPLE_RATE`, with a mean power of 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.frontend.vad import EnergyGate, GateSettings, HopLevels, speech_span

Signal = NDArray[np.float32]

SAMPLE_RATE = 16_000
_HOP = 160
_VOICES = 8
"""People who talk at once in a babble"""


def pink(n: int, rng: np.random.Generator) -> Signal:
    """Noise whose power falls by 3 dB an octave, much like that of machines and traffic."""
    spectrum = np.fft.rfft(rng.standard_normal(n))
    frequency = np.maximum(np.fft.rfftfreq(n, 1 / SAMPLE_RATE), 20.0)
    return _of_unit_power(np.fft.irfft(spectrum / np.sqrt(frequency), n))


def hum(n: int, rng: np.random.Generator) -> Signal:
    """Mains hum: 50 Hz and its overtones up to 2 kHz, falling by 6 dB an octave, over a little pink noise."""
    time = np.arange(n) / SAMPLE_RATE
    mains = 50.0 * (1 + 0.002 * rng.standard_normal())
    orders = np.arange(1, int(2_000 / mains) + 1)
    phases = rng.uniform(0, 2 * np.pi, orders.size)
    strengths = rng.uniform(0.3, 1.0, orders.size) / orders
    tones = sum(
        a * np.sin(2 * np.pi * mains * k * time + p)
        for a, k, p in zip(strengths, orders, phases, strict=True)
    )
    return _of_unit_power(_of_unit_power(tones) + 0.1 * pink(n, rng))


def music(n: int, rng: np.random.Generator) -> Signal:
    """Chords of plucked notes over a bass and a beat of noise: no tune, but music's spectrum and rhythm."""
    beat = int(SAMPLE_RATE * rng.uniform(0.4, 0.7))
    sound = np.zeros(n + 4 * beat)
    root = 110.0 * 2 ** (rng.integers(0, 12) / 12)
    scale = np.array([0, 2, 4, 5, 7, 9, 11])
    for start in range(0, n, beat):
        degree = rng.integers(0, 7)
        for step in (0, 2, 4):
            octave, note = divmod(int(degree) + step, 7)
            pitch = 2 * root * 2 ** (octave + scale[note] / 12)
            _add_note(sound, start, pitch, 3 * beat, 0.3)
        _add_note(sound, start, root * 2 ** (scale[degree] / 12), 2 * beat, 0.5)
        drum = rng.standard_normal(beat // 4) * np.exp(-np.arange(beat // 4) / (0.02 * SAMPLE_RATE))
        sound[start : start + drum.size] += 0.3 * drum
    return _of_unit_power(sound[:n])


def _add_note(sound: NDArray[np.float64], start: int, pitch: float, length: int, level: float) -> None:
    """Put a decaying tone of six harmonics into the sound."""
    end = min(start + length, sound.size)
    time = np.arange(end - start) / SAMPLE_RATE
    for harmonic in range(1, 7):
        if harmonic * pitch < SAMPLE_RATE / 2:
            decay = np.exp(-3.0 * harmonic * time)
            sound[start:end] += level / harmonic * decay * np.sin(2 * np.pi * harmonic * pitch * time)


def babble_bed(voices: Sequence[Signal], seconds: float, rng: np.random.Generator) -> Signal:
    """Eight people talking at once, each a chain of recordings drawn from those given, equally loud.

    Args:
        voices: recordings, shape (n,) each, of people who are not in the test.
        seconds: length.
        rng: draws the recordings.
    """
    n = int(seconds * SAMPLE_RATE)
    bed = np.zeros(n)
    for _ in range(_VOICES):
        parts, length = [], 0
        while length < n:
            part = _of_unit_power(voices[int(rng.integers(len(voices)))])
            parts.append(part)
            length += part.size
        bed += np.concatenate(parts)[:n]
    return _of_unit_power(bed)


def excerpt(bed: Signal, n: int, rng: np.random.Generator) -> Signal:
    """`n` samples of a bed from a random place in it; a shorter bed is repeated."""
    start = int(rng.integers(bed.size))
    return _of_unit_power(np.take(bed, np.arange(start, start + n), mode="wrap"))


KINDS: dict[str, Callable[[int, np.random.Generator], Signal]] = {"pink": pink, "hum": hum, "music": music}
"""Noise that needs only a length; babble also needs voices"""


def add_noise(speech: Signal, noise: Signal, snr_db: float) -> Signal:
    """Speech (n,) in noise (n,) of unit power.

    The ratio is that of mean powers from the first to the last speech. Silence before and after does not
    count, so that a clip with long silence does not get less noise than others.
    """
    gain = np.sqrt(_speech_power(speech) / 10 ** (snr_db / 10))
    return _within_range(speech + gain * noise)


def _speech_power(speech: Signal) -> float:
    hop_s = _HOP / SAMPLE_RATE
    span = speech_span(EnergyGate(GateSettings(), hop_s).push(HopLevels(_HOP).push(speech)))
    part = speech if span is None else speech[span[0] * _HOP : span[1] * _HOP]
    return float(np.mean(np.square(part, dtype=np.float64)))


def _within_range(signal: NDArray[Any]) -> Signal:
    """The signal, turned down if it would exceed full scale."""
    return np.asarray(signal / max(1.0, float(np.abs(signal).max())), np.float32)


def _of_unit_power(signal: NDArray[Any]) -> Signal:
    power = float(np.mean(np.square(signal, dtype=np.float64)))
    return np.asarray(signal / np.sqrt(max(power, 1e-12)), np.float32)
