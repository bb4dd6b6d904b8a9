"""Sounds other than speech: noise, machines, music-like sounds, impacts; synthetic, seeded, 16 kHz mono.

They are synthetic because no recordings under a free licence were available.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

RATE = 16_000
"""Sample rate in Hz"""

Signal = NDArray[np.float32]
Maker = Callable[[float, np.random.Generator], Signal]
"""From a duration in seconds and a random generator to a signal of arbitrary level"""

_A4 = 440.0


def coloured(seconds: float, rng: np.random.Generator) -> Signal:
    """Steady noise whose spectrum falls by 0 to 8 dB an octave, with a random slow bend."""
    n = round(seconds * RATE)
    spectrum = np.fft.rfft(rng.standard_normal(n))
    hertz = np.maximum(np.fft.rfftfreq(n, 1 / RATE), 30.0)
    bend = np.interp(np.log(hertz), np.linspace(3.4, 9.0, 6), rng.normal(0.0, 4.0, 6))
    gain_db = -rng.uniform(0.0, 8.0) * np.log2(hertz / 1_000.0) + bend
    return np.fft.irfft(spectrum * 10 ** (gain_db / 20), n).astype(np.float32)


def machine(seconds: float, rng: np.random.Generator) -> Signal:
    """A fan or motor: hum with its harmonics over steady noise, both slowly swelling."""
    time = np.arange(round(seconds * RATE)) / RATE
    base = rng.choice([50.0, 60.0, 100.0, rng.uniform(40, 240)])
    hum = sum(
        rng.uniform(0, 1) / k * np.sin(2 * np.pi * base * k * time + rng.uniform(0, 6)) for k in range(1, 12)
    )
    noise = _unit(coloured(seconds, rng))
    swell = 1.0 + 0.4 * np.sin(2 * np.pi * rng.uniform(0.05, 2.0) * time)
    return np.asarray((rng.uniform(0, 1.5) * _unit(hum) + noise) * swell, np.float32)


def chords(seconds: float, rng: np.random.Generator) -> Signal:
    """Chords, a bass and a melody of added harmonics, with drums."""
    beat = 60.0 / rng.uniform(70, 150)
    out = np.zeros(round(seconds * RATE) + RATE, np.float64)
    scale = np.array([0, 2, 4, 5, 7, 9, 11])
    key = rng.integers(-12, 12)
    for number in range(int(seconds / beat)):
        at = number * beat
        if number % 4 == 0:
            root = scale[rng.integers(7)] + key
            for step in (0, rng.choice([3, 4]), 7):
                _add(out, at, 0.3 * _harmonic(root + step, 4 * beat, 0.02, rng))
        _add(out, at, 0.5 * _harmonic(root - 24, beat, 0.01, rng))
        for part in range(rng.integers(1, 4)):
            note = scale[rng.integers(7)] + key + 12
            _add(out, at + part * beat / 3, 0.4 * _harmonic(note, beat / 3, 0.01, rng))
        _add(out, at, rng.uniform(0, 0.8) * _drum(rng))
    return out[: round(seconds * RATE)].astype(np.float32)


def bangs(seconds: float, rng: np.random.Generator) -> Signal:
    """Doors, steps, dishes: decaying bursts over a little noise."""
    out = 0.02 * _unit(coloured(seconds + 1.0, rng)).astype(np.float64)
    at = rng.exponential(1.0)
    while at < seconds:
        _add(out, at, rng.uniform(0.1, 1.0) * _drum(rng))
        at += rng.exponential(rng.choice([0.15, 2.0]))
    return out[: round(seconds * RATE)].astype(np.float32)


def plucked(seconds: float, rng: np.random.Generator) -> Signal:
    """Three voices of plucked strings (Karplus and Strong, "Digital synthesis of plucked strings", 1983)."""
    out = np.zeros(round(seconds * RATE) + 3 * RATE, np.float64)
    beat = 60.0 / rng.uniform(80, 180)
    for voice in (-12, 0, 7):
        at = 0.0
        while at < seconds:
            period = round(RATE / (_A4 * 2 ** ((voice + rng.choice([0, 2, 4, 7, 9, 12])) / 12)))
            _add(out, at, _string(period, 1.5, rng))
            at += beat * rng.choice([0.5, 1.0, 2.0])
    return out[: round(seconds * RATE)].astype(np.float32)


def synthesiser(seconds: float, rng: np.random.Generator) -> Signal:
    """A lead made by frequency modulation, with vibrato, over a pulsing bass (Chowning, 1973)."""
    n = round(seconds * RATE)
    time = np.arange(n) / RATE
    per_second = rng.uniform(1.5, 6.0)
    steps = rng.choice([-12, -7, -5, 0, 3, 5, 7, 12], int(seconds * per_second) + 2)
    note = np.repeat(steps, int(RATE / per_second) + 1)[:n]
    pitch = _A4 * 2 ** (note / 12) * (1 + 0.01 * np.sin(2 * np.pi * 5.5 * time))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    beat = (time * per_second) % 1.0
    lead = np.sin(phase + rng.uniform(1, 5) * np.exp(-3 * beat) * np.sin(rng.choice([1, 2, 3]) * phase))
    bass = np.sin(2 * np.pi * rng.uniform(45, 90) * time) * np.exp(-4 * ((time * per_second / 2) % 1.0))
    return np.asarray(lead * np.exp(-2 * beat) + bass, np.float32)


def typing(seconds: float, rng: np.random.Generator) -> Signal:
    """Keys of a keyboard and a mouse, in runs, over a quiet room."""
    out = 0.003 * _pink(round(seconds * RATE) + RATE, rng)
    at = 0.5
    while at < seconds:
        for _ in range(rng.integers(3, 25)):
            n = rng.integers(80, 400)
            click = rng.standard_normal(n) * np.exp(-np.arange(n) / rng.uniform(15, 60))
            _add(out, at, rng.uniform(0.2, 1.0) * click)
            at += rng.uniform(0.07, 0.3)
        at += rng.exponential(2.0)
    return out[: round(seconds * RATE)].astype(np.float32)


def traffic(seconds: float, rng: np.random.Generator) -> Signal:
    """Pink noise in which cars pass: swells of a few seconds, brighter when near."""
    n = round(seconds * RATE)
    swell = np.full(n, 0.15)
    for _ in range(int(seconds / 6) + 1):
        middle, width = rng.uniform(0, seconds), rng.uniform(0.7, 3.0)
        swell += rng.uniform(0.2, 1.0) * np.exp(-(((np.arange(n) / RATE - middle) / width) ** 2))
    return np.asarray(_pink(n, rng) * swell, np.float32)


def slams(seconds: float, rng: np.random.Generator) -> Signal:
    """Rare heavy slams and rattles with a room's echo, over pink noise."""
    n = round(seconds * RATE)
    out = 0.01 * _pink(n + 2 * RATE, rng)
    at = rng.uniform(0.5, 4.0)
    while at < seconds:
        tail = np.arange(RATE) / RATE
        modes = sum(np.sin(2 * np.pi * f * tail) * np.exp(-tail * d)
                    for f, d in zip(rng.uniform(60, 900, 8), rng.uniform(8, 40, 8), strict=True))  # fmt: skip
        hiss = rng.standard_normal(RATE) * np.exp(-tail * rng.uniform(15, 60))
        for bounce in range(rng.integers(1, 5)):
            _add(out, at + 0.12 * bounce, 0.5**bounce * rng.uniform(0.3, 1) * (_unit(modes) + hiss))
        at += rng.exponential(4.0)
    return out[:n].astype(np.float32)


KINDS: Mapping[str, Maker] = {
    "coloured": coloured, "machine": machine, "chords": chords, "bangs": bangs, "plucked": plucked,
    "synthesiser": synthesiser, "typing": typing, "traffic": traffic, "slams": slams,
}  # fmt: skip

MUSIC = ("chords", "plucked", "synthesiser")


def room(seconds: float, rng: np.random.Generator) -> Signal:
    """An impulse response: direct sound, and noise that decays by 60 dB in `seconds` (Polack, 1988)."""
    n = max(1, round(seconds * RATE))
    tail = rng.standard_normal(n) * 10 ** (-3.0 * np.arange(n) / n)
    tail[: round(0.003 * RATE)] = 0.0
    direct_to_tail_db = rng.uniform(0.0, 10.0)
    tail *= 10 ** (-direct_to_tail_db / 20) / np.sqrt(np.sum(tail**2) + 1e-12)
    tail[0] = 1.0
    return tail.astype(np.float32)


def in_room(signal: Signal, response: Signal) -> Signal:
    """A signal (n,) as it is heard in a room, its echo cut off where the signal ends: shape (n,)."""
    size = 1 << (len(signal) + len(response)).bit_length()
    wet = np.fft.irfft(np.fft.rfft(signal, size) * np.fft.rfft(response, size), size)
    return wet[: len(signal)].astype(np.float32)


def _unit(signal: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(signal / (np.sqrt(np.mean(np.square(signal))) + 1e-12), np.float64)


def _pink(n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    spectrum = np.fft.rfft(rng.standard_normal(n)) / np.sqrt(np.maximum(np.arange(n // 2 + 1), 20))
    return _unit(np.fft.irfft(spectrum, n))


def _add(out: NDArray[np.float64], at_s: float, piece: NDArray[Any]) -> None:
    start = round(at_s * RATE)
    end = min(len(out), start + len(piece))
    if start < end:
        out[start:end] += piece[: end - start]


def _harmonic(note: int, seconds: float, attack_s: float, rng: np.random.Generator) -> NDArray[np.float64]:
    time = np.arange(round(seconds * RATE)) / RATE
    hertz = _A4 * 2 ** (note / 12)
    overtones = np.arange(1, max(2, min(14, int(7_500 / hertz))))
    shares = rng.uniform(0.2, 1.0, len(overtones)) / overtones
    tone = np.sum(
        [a * np.sin(2 * np.pi * hertz * k * time) for a, k in zip(shares, overtones, strict=True)], 0
    )
    return np.asarray(tone * np.minimum(time / attack_s, 1.0) * np.exp(-time * rng.uniform(0.5, 6.0)))


def _drum(rng: np.random.Generator) -> NDArray[np.float64]:
    n = round(rng.uniform(0.03, 0.4) * RATE)
    time = np.arange(n) / RATE
    tone = np.sin(2 * np.pi * rng.uniform(50, 2_000) * time)
    hit = rng.uniform(0, 1) * tone + rng.uniform(0, 1) * rng.standard_normal(n)
    return np.asarray(hit * np.exp(-time * rng.uniform(10, 80)))


def _string(period: int, seconds: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Each round of the loop averages neighbouring samples of the round before."""
    ring = rng.uniform(-1.0, 1.0, period)
    rounds = [ring]
    for _ in range(int(seconds * RATE / period)):
        ring = 0.498 * (ring + np.roll(ring, 1))
        rounds.append(ring)
    return np.concatenate(rounds)
