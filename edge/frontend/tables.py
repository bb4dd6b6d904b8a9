"""The fixed tables of an MFCC front end: window, mel filterbank, DCT, lifter.

Each is computed once per configuration, in float64.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.frontend.mfcc_config import (
    DctNorm,
    FrontendConfigError,
    MelScale,
    MelShape,
    MfccConfig,
    Window,
)

Table = NDArray[np.float64]

_SLANEY_LINEAR_HZ = 200.0 / 3.0
_SLANEY_CORNER_HZ = 1_000.0
_SLANEY_LOG_STEP = np.log(6.4) / 27.0


def analysis_window(config: MfccConfig) -> Table:
    """The window, shape (frame_length,).

    Harris, "On the use of windows for harmonic analysis with the DFT", 1978: a - (1 - a) cos(2 pi n / N)
    with a = 0.5 (Hann) or 0.54 (Hamming); N is the length (periodic) or the length less one (symmetric).
    """
    length = config.frame_length
    if config.window is Window.RECTANGULAR or length == 1:
        return np.ones(length)
    a = 0.5 if config.window is Window.HANN else 0.54
    period = length if config.periodic else length - 1
    return a - (1.0 - a) * np.cos(2.0 * np.pi * np.arange(length) / period)


def hertz_to_mel(hertz: Table | float, scale: MelScale) -> Table:
    """Mel of a frequency in hertz on either scale of `MelScale`."""
    hertz = np.asarray(hertz, dtype=np.float64)
    if scale is MelScale.HTK:
        return 2595.0 * np.log10(1.0 + hertz / 700.0)
    linear = hertz / _SLANEY_LINEAR_HZ
    corner = _SLANEY_CORNER_HZ / _SLANEY_LINEAR_HZ
    above = corner + np.log(np.maximum(hertz, _SLANEY_CORNER_HZ) / _SLANEY_CORNER_HZ) / _SLANEY_LOG_STEP
    return np.where(hertz < _SLANEY_CORNER_HZ, linear, above)


def mel_to_hertz(mel: Table, scale: MelScale) -> Table:
    """The inverse of `hertz_to_mel`."""
    if scale is MelScale.HTK:
        return 700.0 * (10.0 ** (mel / 2595.0) - 1.0)
    corner = _SLANEY_CORNER_HZ / _SLANEY_LINEAR_HZ
    above = _SLANEY_CORNER_HZ * np.exp(_SLANEY_LOG_STEP * (np.maximum(mel, corner) - corner))
    return np.where(mel < corner, mel * _SLANEY_LINEAR_HZ, above)


def mel_filterbank(config: MfccConfig) -> Table:
    """Triangular mel filters, shape (n_fft // 2 + 1, n_mels).

    Davis and Mermelstein, "Comparison of parametric representations", 1980; the corners are evenly
    spaced in mel from `fmin` to `fmax`, and each filter reaches from one neighbour's centre to the other's.

    Raises:
        FrontendConfigError: when a filter is so narrow that no bin falls into it.
    """
    scale = config.mel_scale
    low, high = hertz_to_mel(np.array([config.fmin, config.fmax]), scale)
    corners_mel = np.linspace(low, high, config.n_mels + 2)
    corners_hz = mel_to_hertz(corners_mel, scale)
    bins_hz: Table = np.arange(config.n_fft // 2 + 1, dtype=np.float64) * (config.sample_rate / config.n_fft)
    if config.mel_shape is MelShape.HERTZ:
        bank = _triangles(bins_hz, corners_hz)
    elif config.mel_shape is MelShape.MEL:
        bank = _triangles(hertz_to_mel(bins_hz, scale), corners_mel)
        bank[0] = 0.0
    else:
        corners = np.floor((config.n_fft + 1) * corners_hz / config.sample_rate)
        bank = _triangles(np.arange(bins_hz.size, dtype=np.float64), corners)
    empty = np.flatnonzero(bank.sum(axis=0) == 0.0)
    if empty.size:
        i = int(empty[0])
        raise FrontendConfigError(
            f"mel filter {i} ({corners_hz[i]:.0f} to {corners_hz[i + 2]:.0f} Hz) covers no bin of n_fft "
            f"{config.n_fft}: use fewer n_mels than {config.n_mels}, a larger n_fft or a higher fmin"
        )
    if config.mel_area_norm:
        bank *= 2.0 / (corners_hz[2:] - corners_hz[:-2])
    return bank


def _triangles(positions: Table, corners: Table) -> Table:
    """Heights (n, m) at `positions` (n,) of the triangles over every three adjacent `corners` (m + 2,)."""
    left, centre, right = corners[:-2], corners[1:-1], corners[2:]
    at = positions[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        rising = (at - left) / (centre - left)
        falling = (right - at) / (right - centre)
    # A side of zero width, which rounding to whole bins can produce, covers no bin but the peak itself.
    rising = np.where(centre > left, rising, np.where(at >= centre, np.inf, -np.inf))
    falling = np.where(right > centre, falling, np.where(at < centre, np.inf, -np.inf))
    return np.maximum(0.0, np.minimum(rising, falling))


def mel_blocks(bank: Table) -> list[tuple[slice, slice, Table]]:
    """Cut a filterbank (n_bins, n_mels) into blocks of neighbouring filters and the bins that they cover.

    A block has few zeros, so multiplying block by block leaves out most of the zeros of the filterbank. Each
    block is (bins, filters, bank[bins, filters]).
    """
    n_mels = bank.shape[1]
    edges = [*range(0, n_mels, _BLOCK_STEP), n_mels]
    covered = bank > 0.0
    best: list[tuple[float, list[tuple[slice, slice]]]] = [(0.0, [])]
    for right in range(1, len(edges)):
        choices = []
        for left in range(right):
            mels = slice(edges[left], edges[right])
            rows = np.flatnonzero(covered[:, mels].any(axis=1))
            bins = slice(int(rows[0]), int(rows[-1]) + 1)
            cost = float(rows[-1] + 1 - rows[0]) * (mels.stop - mels.start) + _BLOCK_COST
            choices.append((best[left][0] + cost, [*best[left][1], (bins, mels)]))
        best.append(min(choices, key=lambda choice: choice[0]))
    return [(bins, mels, np.ascontiguousarray(bank[bins, mels])) for bins, mels in best[-1][1]]


_BLOCK_STEP = 8
"""Blocks grow by this many filters: matrix kernels are this wide, or half or twice as wide"""

_BLOCK_COST = 1_000.0
"""Cost of one more product, in multiplications per row: measured on one x86 core"""


def dct_matrix(config: MfccConfig) -> Table:
    """DCT-II from mel bands to coefficients, lifter included, shape (n_mels, n_mfcc).

    cos(pi k (2 j + 1) / 2n), scaled as `DctNorm` says; lifter 1 + (L/2) sin(pi k / L) from the HTK Book.
    """
    n, k = config.n_mels, np.arange(config.n_mfcc)
    bands = np.arange(n)[:, None]
    matrix: Table = np.cos(np.pi * k * (2 * bands + 1) / (2 * n)) * np.sqrt(2.0 / n)
    if config.dct_norm is DctNorm.ORTHO:
        matrix[:, 0] *= np.sqrt(0.5)
    if config.lifter:
        matrix *= 1.0 + (config.lifter / 2) * np.sin(np.pi * (k + config.lifter_first) / config.lifter)
    return matrix
