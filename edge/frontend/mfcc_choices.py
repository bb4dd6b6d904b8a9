"""The named choices among the settings of the MFCC front end, each with its formula."""

from __future__ import annotations

from enum import StrEnum


class Window(StrEnum):
    """Shape of the analysis window, `frame_length` samples long."""

    RECTANGULAR = "rectangular"
    HANN = "hann"
    HAMMING = "hamming"


class Spectrum(StrEnum):
    """What the mel filters sum over the bins of the Fourier transform X."""

    POWER = "power"
    """|X|²"""

    PERIODOGRAM = "periodogram"
    """|X|² / n_fft"""

    MAGNITUDE = "magnitude"
    """|X|"""


class MelScale(StrEnum):
    """How hertz map to mel."""

    HTK = "htk"
    """2595 log10(1 + f / 700), O'Shaughnessy 1987, as in HTK."""

    SLANEY = "slaney"
    """Linear below 1 kHz, logarithmic above: Slaney's Auditory Toolbox, 1998."""


class MelShape(StrEnum):
    """How a triangular filter is sampled at the bins of the Fourier transform."""

    HERTZ = "hertz"
    """Triangles are linear in hertz, sampled at each bin's frequency."""

    MEL = "mel"
    """Triangles are linear in mel, sampled at each bin's mel; bin 0 is left out."""

    BIN = "bin"
    """Corners are rounded down to whole bins first."""


class Log(StrEnum):
    """The compression of the mel energies."""

    NATURAL = "natural"
    DECIBEL = "decibel"


class DctNorm(StrEnum):
    """Scale of the DCT-II over n mel bands."""

    ORTHO = "ortho"
    """sqrt(2/n), and sqrt(1/n) for C0: the matrix is orthonormal."""

    HTK = "htk"
    """sqrt(2/n) for every coefficient."""
