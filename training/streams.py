"""Long streams made of clips, to test voice activity and turns: who speaks when is known to the sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edge.audio.files import read_file
from edge.inference.turns import TurnSettings
from training.clips import Clip
from training.noises import RATE, Maker, Signal, in_room, room

_HOP = RATE // 100
_BELOW_PEAK_DB = 35.0
"""A hop of a clean clip that is this far below the loudest one holds no speech"""

_VOICE_HERTZ = (100.0, 1_000.0)
"""Band in which a voice has most of its energy, but breath and the noise of consonants have little"""

_VOICE_BELOW_PEAK_DB = 30.0
"""A hop of a clean clip that is this far below the loudest one in that band holds no voice"""

_CONSONANTS_S = 0.2
"""Duration of unvoiced consonants between two words: at the end of one and the beginning of the next"""

SPEECH_DB = -25.0
"""Level of speech, dB full scale, unless a stream says otherwise"""


@dataclass(frozen=True, slots=True)
class Spoken:
    """One turn of a stream."""

    clip: Clip
    """The clip that it is: all of it, or the part between two long pauses"""

    start: int
    """First sample of the speech itself"""

    end: int
    """First sample after it"""


@dataclass(slots=True)
class Stream:
    """Samples, float32 at 16 kHz, and what is spoken in them."""

    samples: Signal
    turns: list[Spoken] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.samples) / RATE

    def speech(self, hop: int = _HOP) -> NDArray[np.bool_]:
        """Whether somebody speaks in each hop, shape (n // hop,); short pauses in a turn count as speech."""
        flags = np.zeros(len(self.samples) // hop, bool)
        for turn in self.turns:
            flags[turn.start // hop : turn.end // hop] = True
        return flags


def read_speech(clip: Clip) -> Signal | None:
    """A clip at unit power, cut to its speech; None if it holds none, or too little."""
    samples = read_file(clip.path)
    n = len(samples) // _HOP
    if n < 20:
        return None
    power = np.mean(np.square(samples[: n * _HOP].reshape(n, _HOP).astype(np.float64)), axis=1)
    loud = np.flatnonzero(power > power.max() * 10 ** (-_BELOW_PEAK_DB / 10))
    speech = samples[loud[0] * _HOP : (loud[-1] + 1) * _HOP]
    level = np.sqrt(np.mean(np.square(power[loud] ** 0.5)))
    return None if level < 1e-6 or len(speech) < 0.3 * RATE else np.asarray(speech / level, np.float32)


def turns_in(speech: Signal) -> list[tuple[int, int]]:
    """The turns of a clean clip that is cut to its speech: the first sample of each, and the first after it.

    A pause as long as the hangover ends a turn by definition, even within a sentence. Only the voice counts
    for this: some actors fill pauses of more than a second with breath, hardly quieter than the words.
    """
    spectrum = np.fft.rfft(speech)
    hertz = np.fft.rfftfreq(len(speech), 1.0 / RATE)
    spectrum[(hertz < _VOICE_HERTZ[0]) | (hertz > _VOICE_HERTZ[1])] = 0.0
    voice = np.fft.irfft(spectrum, len(speech))
    n = len(voice) // _HOP
    power = np.mean(np.square(voice[: n * _HOP].reshape(n, _HOP)), axis=1)
    voiced = np.flatnonzero(power > power.max() * 10 ** (-_VOICE_BELOW_PEAK_DB / 10))
    pause = round((TurnSettings().hangover_s + _CONSONANTS_S) * RATE / _HOP)
    after = np.flatnonzero(np.diff(voiced) > pause)
    starts = [0, *(voiced[after + 1] * _HOP).tolist()]
    ends = [*((voiced[after] + 1) * _HOP).tolist(), len(speech)]
    least = TurnSettings().min_speech_s * RATE
    return [(start, end) for start, end in zip(starts, ends, strict=True) if end - start >= least]


def make_stream(
    clips: Sequence[Clip],
    rng: np.random.Generator,
    *,
    noise: Maker | None = None,
    snr_db: float = 60.0,
    gap_s: tuple[float, float] = (1.5, 4.0),
    room_s: float = 0.0,
    level_db: float = SPEECH_DB,
) -> Stream:
    """The clips one after another, with pauses between them, in noise and a room.

    Args:
        clips: what is said, in this order; those without speech are left out.
        rng: draws the pauses, the room and the noise.
        noise: what fills the room; None for the noise of a sound card alone.
        snr_db: level of the speech over that of the noise, both as mean power.
        gap_s: shortest and longest pause.
        room_s: reverberation time; 0 for none.
        level_db: of the speech, dB full scale.
    """
    spoken: list[Spoken] = []
    pieces: list[Signal] = [np.zeros(round(rng.uniform(*gap_s) * RATE), np.float32)]
    at = len(pieces[0])
    for clip in clips:
        speech = read_speech(clip)
        if speech is None:
            continue
        gap = np.zeros(round(rng.uniform(*gap_s) * RATE), np.float32)
        spoken += [Spoken(clip, at + start, at + end) for start, end in turns_in(speech)]
        pieces += [speech, gap]
        at += len(speech) + len(gap)
    samples = np.concatenate(pieces)
    if room_s:
        samples = in_room(samples, room(room_s, rng))
    samples = samples * np.float32(10 ** (level_db / 20))
    return Stream(_in_noise(samples, rng, noise, level_db - snr_db), spoken)


def noise_only(seconds: float, rng: np.random.Generator, noise: Maker, level_db: float = -35.0) -> Stream:
    """A stream of noise in which nobody speaks."""
    return Stream(_in_noise(np.zeros(round(seconds * RATE), np.float32), rng, noise, level_db))


def babble(clips: Sequence[Clip], voices: int = 6) -> Maker:
    """A maker of several voices at once, none of which can be understood."""

    def make(seconds: float, rng: np.random.Generator) -> Signal:
        n = round(seconds * RATE)
        out = np.zeros(n, np.float32)
        for _ in range(voices):
            at = 0
            while at < n:
                speech = read_speech(clips[int(rng.integers(len(clips)))])
                if speech is None:
                    continue
                piece = speech[: n - at]
                out[at : at + len(piece)] += piece
                at += len(piece)
        return out

    return make


def _in_noise(samples: Signal, rng: np.random.Generator, noise: Maker | None, level_db: float) -> Signal:
    # The noise of an A/D converter, so that there is no digital silence.
    mixed = samples + rng.normal(0.0, 10 ** (-80 / 20), len(samples)).astype(np.float32)
    if noise is not None:
        sound = noise(len(samples) / RATE, rng)[: len(samples)]
        level = np.sqrt(np.mean(np.square(sound, dtype=np.float64)))
        mixed = mixed + sound * np.float32(10 ** (level_db / 20) / max(level, 1e-12))
    return np.clip(mixed, -1.0, 1.0).astype(np.float32)
