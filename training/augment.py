"""Augmentation of training windows in the feature domain, on the cached features.

With as many orthonormal coefficients as mel filters, the DCT can be inverted exactly. What happens to a
sound before it reaches the front end is then simple arithmetic on its log mel energies: gain and a
microphone's frequency response add a curve, a shorter vocal tract stretches the frequency axis, and other
sounds add in power.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.frontend.mfcc_config import FrontendConfigError, MfccConfig
from edge.frontend.tables import dct_matrix
from training.background import NOISE, Background
from training.noises import MUSIC
from training.pitch_variation import vary_pitch
from training.surroundings import NEPER_PER_DB, surround
from training.vocal_tract import stretched

Batch = NDArray[np.float32]


class AugmentSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Strength of each perturbation of the training windows; 0 turns it off."""

    tempo: float = 0.1
    """Largest relative change of speaking rate, from 0 to below 1: 0.1 is up to 10 % faster or slower"""

    warp: float = 0.1
    """Vocal tract length perturbation: largest relative stretch of the mel axis either way, from 0 to below
    1; see `training.vocal_tract`"""

    gain_db: float = 3.0
    """Largest change of level either way, in dB, at least 0"""

    colour_db: float = 1.0
    """Spectral colouring, at least 0: adds four slow cosine curves over the mel axis, each with an amplitude
    whose standard deviation is half of this, in dB"""

    noise_share: float = 0.2
    """Share of windows, 0 to 1, with steady noise in the background"""

    noise_snr_db: tuple[float, float] = (10.0, 35.0)
    """Range of the signal-to-noise ratio in dB, lower end first. The signal is the voice with everything
    added before the noise; both powers are means over the window, below 900 Hz"""

    voices_share: float = 0.0
    """Share of windows, 0 to 1, with other people speaking in the background: one to five other windows of
    the batch"""

    voices_snr_db: tuple[float, float] = (0.0, 25.0)
    """The same for the other voices together"""

    music_share: float = 0.0
    """Share of windows, 0 to 1, with music in the background"""

    music_snr_db: tuple[float, float] = (0.0, 25.0)
    """The same for the music"""

    rooms_share: float = 0.0
    """Share of windows, 0 to 1, with reverberation, as if spoken anywhere from beside the microphone to
    across the room"""

    rt60_s: tuple[float, float] = (0.1, 0.8)
    """Range of the reverberation time RT60 in seconds, lower end first, above 0"""

    time_masks: int = 1
    """SpecAugment (Park et al., 2019): number of time masks per window; they replace frames by the window's
    mean"""

    time_mask_frames: int = 25
    """Largest width of a time mask in frames, and never more than a fifth of the window's sound"""

    band_masks: int = 1
    """Number of frequency masks per window; they replace each mel band by its mean over the window"""

    band_mask_mels: int = 5
    """Largest width of a frequency mask in mel bands"""

    pitch_octaves: float = 0.05
    """Standard deviation of a shift of the whole window's pitch, in octaves, at least 0"""

    voicing: float = 0.03
    """Standard deviation of a shift of the whole window's voicing, on its scale of 0 to 1, at least 0"""

    unpitched_share: float = 0.1
    """Share of windows, 0 to 1, whose pitch and voicing are hidden, so that the network can do without"""

    mixup: float = 0.0
    """Mixup (Zhang et al., 2018): both parameters of the beta distribution that draws the weights with which
    two windows and their labels are mixed, at least 0"""

    def __post_init__(self) -> None:
        shares = (
            self.noise_share, self.voices_share, self.music_share, self.rooms_share, self.unpitched_share,
        )  # fmt: skip
        ranges = (self.noise_snr_db, self.voices_snr_db, self.music_snr_db, self.rt60_s)
        rules = (
            (0.0 <= self.tempo < 1.0, f"tempo is {self.tempo}: it must be from 0 to below 1"),
            (0.0 <= self.warp < 1.0, f"warp is {self.warp}: it must be from 0 to below 1"),
            (self.gain_db >= 0.0 and self.colour_db >= 0.0, "gain_db and colour_db must be at least 0"),
            (min(self.pitch_octaves, self.voicing) >= 0.0, "pitch_octaves and voicing must be at least 0"),
            (all(0.0 <= share <= 1.0 for share in shares), "each ..._share must be from 0 to 1"),
            (
                all(low <= high for low, high in ranges),
                "each ..._snr_db and rt60_s must have the lower end first",
            ),
            (self.rt60_s[0] > 0.0, f"rt60_s begins at {self.rt60_s[0]}: it must be above 0"),
            (min(self.time_masks, self.band_masks) >= 0, "time_masks and band_masks must be at least 0"),
            (
                min(self.time_mask_frames, self.band_mask_mels) >= 0,
                "time_mask_frames and band_mask_mels must be at least 0",
            ),
            (self.mixup >= 0.0, f"mixup is {self.mixup}: it must be at least 0"),
        )
        for holds, message in rules:
            if not holds:
                raise ValueError(message)


def check_augmentable(frontend: MfccConfig) -> None:
    """Make sure that the DCT of a front end can be inverted.

    Raises:
        FrontendConfigError: when it cannot.
    """
    plain = MfccConfig()
    if (
        frontend.n_mfcc != frontend.n_mels
        or frontend.lifter
        or frontend.energy
        or frontend.delta_orders
        or (frontend.log, frontend.dct_norm) != (plain.log, plain.dct_norm)
    ):
        raise FrontendConfigError(
            "augmentation needs as many coefficients as mel filters (n_mfcc = n_mels), natural logarithms, "
            "an orthonormal DCT, and no lifter, energy or deltas"
        )
    if frontend.sample_rate != plain.sample_rate:
        raise FrontendConfigError(
            f"sample_rate is {frontend.sample_rate}: it must be 16000, at which the clips are read"
        )


class Augmenter:
    """Makes augmented training batches from clips; seeded."""

    def __init__(
        self,
        frontend: MfccConfig,
        settings: AugmentSettings,
        n_frames: int,
        mean: Batch,
        std: Batch,
        rng: np.random.Generator,
        speech: Batch,
    ) -> None:
        """`mean` and `std` (n_features,) normalise the result; the model card holds the same values.

        `speech` (n_features,) is the mean of frames of speech, to which noise and music are relative.
        """
        check_augmentable(frontend)
        kinds = {"noise": (NOISE, settings.noise_share), "music": (MUSIC, settings.music_share)}
        self._backgrounds = {
            name: Background(frontend, speech, of) for name, (of, share) in kinds.items() if share
        }
        self._has_pitch = frontend.pitch
        self._dct = dct_matrix(frontend).astype(np.float32)
        self._hop_s = frontend.hop_length / frontend.sample_rate
        self._settings = settings
        self._n_frames = n_frames
        self._mean, self._std = mean.astype(np.float32), std.astype(np.float32)
        self._rng = rng

    def batch(self, clips: list[Batch], targets: Batch) -> tuple[Batch, Batch]:
        """Augmented windows of clips.

        Args:
            clips: frames of each clip, shapes (n, n_features).
            targets: shape (len(clips), n_labels), rows that add up to 1.

        Returns:
            Normalised windows (len(clips), n_frames, n_features), and their targets.
        """
        n_mfcc = self._dct.shape[0]
        windows = np.empty((len(clips), self._n_frames, len(self._mean)), np.float32)
        inside = np.zeros((len(clips), self._n_frames, 1), np.bool_)
        for i, clip in enumerate(clips):
            self._cut(clip, windows[i], inside[i])
        mel = windows[..., :n_mfcc] @ self._dct.T
        warp = self._settings.warp
        mel = stretched(mel, 1.0 + self._rng.uniform(-1.0, 1.0, len(mel)) * warp)
        mel += self._colour(len(clips))
        pitch = windows[..., n_mfcc:] if self._has_pitch else np.zeros((*mel.shape[:2], 2), np.float32)
        surround(mel, pitch, inside[..., 0], self._settings, self._hop_s, self._rng, self._backgrounds)
        self._mask(mel, inside)
        windows[..., :n_mfcc] = mel @ self._dct
        if self._has_pitch:
            vary_pitch(pitch, self._mean[n_mfcc:], self._settings, self._rng)
        normal = np.where(inside, (windows - self._mean) / self._std, 0.0)
        return self._mixed(normal.astype(np.float32), targets)

    def _cut(self, clip: Batch, window: Batch, inside: NDArray[np.bool_]) -> None:
        """Cut a random part of the clip at a random tempo; one that is too short is padded at the end."""
        tempo = 1.0 + self._rng.uniform(-1.0, 1.0) * self._settings.tempo
        n = min(self._n_frames, int((len(clip) - 1) / tempo) + 1)
        first = self._rng.uniform(0.0, max(0.0, len(clip) - 1 - (n - 1) * tempo))
        at = np.minimum(first + tempo * np.arange(n), len(clip) - 1.0)
        below = np.minimum(at.astype(np.int64), max(0, len(clip) - 2))
        share = (at - below)[:, None].astype(np.float32)
        above = np.minimum(below + 1, len(clip) - 1)
        window[:n] = clip[below] * (1.0 - share) + clip[above] * share
        window[n:] = 0.0
        inside[:n] = True

    def _colour(self, n: int) -> Batch:
        """Random level and slow curves over frequency, (n, 1, n_mels)."""
        n_mels = self._dct.shape[0]
        curves = np.cos(np.pi * np.outer(np.arange(1, 5), (np.arange(n_mels) + 0.5) / n_mels))
        db = self._rng.normal(0.0, 0.5 * self._settings.colour_db, (n, 4)) @ curves
        db += self._rng.uniform(-1.0, 1.0, (n, 1)) * self._settings.gain_db
        return np.asarray(db * NEPER_PER_DB, np.float32)[:, None, :]

    def _mask(self, mel: Batch, inside: NDArray[np.bool_]) -> None:
        """Replace random frames and mel bands by the window's own mean."""
        settings, rng = self._settings, self._rng
        for window, used in zip(mel, inside, strict=True):
            n = int(used.sum())
            mean = window[:n].mean(axis=0)
            for _ in range(settings.time_masks):
                width = int(rng.integers(0, min(settings.time_mask_frames, n // 5) + 1))
                first = int(rng.integers(0, n - width + 1))
                window[first : first + width] = mean
            for _ in range(settings.band_masks):
                width = int(rng.integers(0, min(settings.band_mask_mels, mel.shape[2]) + 1))
                first = int(rng.integers(0, mel.shape[2] - width + 1))
                window[:, first : first + width] = mean[first : first + width]

    def _mixed(self, windows: Batch, targets: Batch) -> tuple[Batch, Batch]:
        if not self._settings.mixup:
            return windows, targets
        share = self._rng.beta(self._settings.mixup, self._settings.mixup, len(windows)).astype(np.float32)
        other = self._rng.permutation(len(windows))
        weight = share[:, None, None]
        return (
            weight * windows + (1.0 - weight) * windows[other],
            share[:, None] * targets + (1.0 - share[:, None]) * targets[other],
        )
