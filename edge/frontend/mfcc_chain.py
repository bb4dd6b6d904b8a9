"""The arithmetic of the MFCC front end, from whole frames to coefficients.

Frames are processed in tiles, in arrays that are allocated once and stay in the cache of one core. The matrix
products leave out most zeros of the filterbank.

The values of a frame must not depend on which other frames came in the same block. A BLAS may sum in another
order when the number of rows changes, so every product here has the same shape: `GROUP` rows, and a frame's
number since the start of the signal determines its row. Such a small product is never split over threads
either. Everything else is computed bin by bin, on arrays of the same layout.
"""

from __future__ import annotations

import functools
import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.frontend.mfcc_config import Log, MfccConfig, Spectrum, Window
from edge.frontend.tables import Table, analysis_window, dct_matrix, mel_blocks, mel_filterbank

GROUP = 4
"""Frames in one matrix product: a multiple of the number of rows that BLAS kernels process at a time"""

_TILE_BYTES = 1 << 20
"""Working memory of one tile: fits the level-2 cache of a Raspberry Pi 4 or of a server core"""

_MAX_TILE = 256
_MAX_VIEWS = 64

_RFFT_HAS_OUT = np.lib.NumpyVersion(np.__version__) >= "2.0.0"

Array = NDArray[np.float64]
Complexes = NDArray[np.complex128]
Product = tuple[Array, Table, Array]


class Chain:
    """The tables of one configuration and the stages that use them; holds no state of any stream."""

    def __init__(self, config: MfccConfig) -> None:
        """Raises FrontendConfigError when a mel filter covers no bin."""
        self.config = config
        n_bins = config.n_fft // 2 + 1
        windowed = config.window is not Window.RECTANGULAR
        row_bytes = 8 * (config.n_fft * (1 + windowed) + 2 * n_bins + n_bins)
        self.tile = min(_MAX_TILE, max(1, _TILE_BYTES // row_bytes // GROUP) * GROUP)
        bank = mel_filterbank(config)
        scale = 1.0 / config.n_fft if config.spectrum is Spectrum.PERIODOGRAM else 1.0
        self.blocks = [(bins, mels, table * scale) for bins, mels, table in mel_blocks(bank)]
        dct = dct_matrix(config)
        if config.energy:
            # The energy comes from one more filter, as wide as the spectrum; its logarithm replaces C0.
            self.blocks.append(
                (slice(0, n_bins), slice(config.n_mels, config.n_mels + 1), np.full((n_bins, 1), scale))
            )
            dct = np.vstack([dct, np.zeros((1, config.n_mfcc))])
            dct[:, 0] = 0.0
            dct[-1, 0] = 1.0
        self.dct = dct * _DECIBELS if config.log is Log.DECIBEL else dct
        self._local = threading.local()

    @property
    def scratch(self) -> _Scratch:
        """This thread's working arrays; its streams share them, as nothing in them outlives a call."""
        scratch: _Scratch | None = getattr(self._local, "scratch", None)
        if scratch is None:
            scratch = self._local.scratch = _Scratch(self)
        return scratch

    def run(self, frames: Array, first: int, out: NDArray[np.floating], *, cepstra: bool = True) -> None:
        """Compute `len(out)` frames, the first of which is number `first` of its signal.

        Args:
            frames: samples, shape (m, frame_length), m >= len(out).
            first: counted from 0, or modulo `GROUP`.
            out: receives the coefficients, shape (n, n_mfcc), or the log mel energies, (n, n_mels).
            cepstra: whether to compute coefficients, or only log mel energies.
        """
        scratch = self.scratch
        row = first % GROUP
        done = 0
        while done < len(out):
            n = min(len(out) - done, self.tile - row)
            views = scratch.views(row, n)
            self.frame(frames[done : done + n], views)
            self.power(self.fourier(views), views)
            self.mel(views)
            self.log(views)
            out[done : done + n] = self.cepstra(views) if cepstra else self.log_mel(views)
            row = (row + n) % GROUP
            done += n

    # The stages, in the order in which they run; benchmarks/frontend_stages.py times each of them.

    @staticmethod
    def frame(frames: Array, views: _Views) -> None:
        """Copy frames, shape (n, frame_length), into the zero-padded array and window them there."""
        np.copyto(views.frames, frames)
        if views.window is not None:
            # Whole rows, padding included: numpy does that in one pass, but a narrower product row by row.
            np.multiply(views.padded, views.window, out=views.padded)

    @staticmethod
    def fourier(views: _Views) -> Array:
        """The spectrum, shape (n, 2 n_bins): real and imaginary parts interleaved."""
        if _RFFT_HAS_OUT:
            np.fft.rfft(views.padded, out=views.spectrum)
            return views.parts
        return np.fft.rfft(views.padded).view(np.float64)

    def power(self, parts: Array, views: _Views) -> None:
        """Compute the power or magnitude that the filters sum, shape (n, n_bins); overwrites `parts`."""
        np.multiply(parts, parts, out=parts)
        np.add(parts[:, ::2], parts[:, 1::2], out=views.bins)
        if self.config.spectrum is Spectrum.MAGNITUDE:
            np.sqrt(views.bins, out=views.bins)

    @staticmethod
    def mel(views: _Views) -> None:
        """Apply the mel filters to the spectrum."""
        for bins, table, bands in views.products:
            np.matmul(bins, table, out=bands)

    def log(self, views: _Views) -> None:
        """Take natural logarithms of the filters' outputs, in place."""
        bands = views.bands
        if self.config.log_offset:
            np.add(bands, self.config.log_offset, out=bands)
        np.maximum(bands, self.config.log_floor, out=bands)
        np.log(bands, out=bands)

    def cepstra(self, views: _Views) -> Array:
        """The coefficients, shape (n, n_mfcc)."""
        np.matmul(views.grouped_bands, self.dct, out=views.grouped_cepstra)
        return views.cepstra

    def log_mel(self, views: _Views) -> Array:
        """The log mel energies in the unit of `config.log`, shape (n, n_mels)."""
        return views.log_mel * _DECIBELS if self.config.log is Log.DECIBEL else views.log_mel


_DECIBELS = 10.0 / np.log(10.0)


@dataclass(frozen=True, slots=True)
class _Views:
    """Views of the scratch arrays for `n` frames, the first of which is in row `row` of its group.

    Slicing costs more than the arithmetic on a single frame, so it is done once.
    """

    padded: Array
    frames: Array
    window: Array | None
    spectrum: Complexes
    parts: Array
    bins: Array
    products: list[Product]
    bands: Array
    grouped_bands: Array
    grouped_cepstra: Array
    cepstra: Array
    log_mel: Array


class _Scratch:
    """The working arrays of one tile.

    Rows of a group that hold no frame of the current call keep old values, which are finite and never read.
    """

    def __init__(self, chain: Chain) -> None:
        config, tile = chain.config, chain.tile
        n_bins = config.n_fft // 2 + 1
        width = config.n_mels + config.energy
        self._chain = chain
        self._padded = np.zeros((tile, config.n_fft))
        self._spectrum = np.empty((tile if _RFFT_HAS_OUT else 0, n_bins), np.complex128)
        self._bins = np.zeros((tile, n_bins))
        self._bands = np.zeros((tile, width))
        self._cepstra = np.zeros((tile, config.n_mfcc))
        self._views: dict[tuple[int, int], _Views] = {}
        self._window: Array | None = None
        if config.window is not Window.RECTANGULAR:
            row = np.zeros(config.n_fft)
            row[: config.frame_length] = analysis_window(config)
            self._window = np.tile(row, (tile, 1))

    def views(self, row: int, n: int) -> _Views:
        """The views for `n` frames from row `row`, 0 <= row < GROUP, row + n <= tile."""
        found = self._views.get((row, n))
        if found is None:
            if len(self._views) >= _MAX_VIEWS:
                self._views.clear()
            found = self._views[row, n] = self._cut(row, n)
        return found

    def _cut(self, row: int, n: int) -> _Views:
        config = self._chain.config
        groups = -(-(row + n) // GROUP)
        rows = groups * GROUP
        bins = self._bins[:rows].reshape(groups, GROUP, -1)
        bands = self._bands[:rows].reshape(groups, GROUP, -1)
        return _Views(
            padded=self._padded[:n],
            frames=self._padded[:n, : config.frame_length],
            window=None if self._window is None else self._window[:n],
            spectrum=self._spectrum[:n],
            parts=self._spectrum.view(np.float64)[:n],
            bins=self._bins[row : row + n],
            products=[(bins[..., over], table, bands[..., into]) for over, into, table in self._chain.blocks],
            bands=self._bands[:rows],
            grouped_bands=bands,
            grouped_cepstra=self._cepstra[:rows].reshape(groups, GROUP, -1),
            cepstra=self._cepstra[row : row + n],
            log_mel=self._bands[row : row + n, : config.n_mels],
        )


@functools.lru_cache(maxsize=8)
def chain(config: MfccConfig) -> Chain:
    """The chain of a configuration, cached."""
    return Chain(config)
