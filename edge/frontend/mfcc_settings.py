"""The settings of the MFCC front end, and their checks."""

from __future__ import annotations

import dataclasses
import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from edge.frontend.mfcc_choices import DctNorm, Log, MelScale, MelShape, Spectrum, Window

N_PITCH = 2
"""Values that `pitch` adds to a frame"""


class FrontendConfigError(ValueError):
    """Raised when a configuration of the front end makes no sense; the message names the field."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MfccSettings:
    """Settings of one MFCC front end; the defaults are those of the shipped model, which also has `pitch`.

    Raises:
        FrontendConfigError: at construction, when a value makes no sense.
    """

    sample_rate: int = 16_000
    """Hertz"""

    frame_length: int = 400
    """Samples in a frame: 25 ms at 16 kHz"""

    hop_length: int = 160
    """Samples from one frame to the next: 10 ms at 16 kHz"""

    n_fft: int = 512
    """Points of the Fourier transform; a shorter frame is padded with zeros"""

    lead: int = 0
    """Zeros assumed before the first sample; n_fft // 2 for libraries that centre their frames"""

    preemphasis: float = 0.0
    """a in y[n] = x[n] - a x[n-1], with x[-1] = 0; 0 is off"""

    window: Window = Window.HANN

    periodic: bool = True
    """Whether the window has a period of frame_length samples (DFT-even); otherwise it is symmetric"""

    spectrum: Spectrum = Spectrum.POWER

    n_mels: int = 40
    """Number of mel filters"""

    fmin: float = 20.0
    """Lower edge of the first filter in hertz"""

    fmax: float = 8_000.0
    """Upper edge of the last filter in hertz"""

    mel_scale: MelScale = MelScale.HTK

    mel_shape: MelShape = MelShape.HERTZ

    mel_area_norm: bool = False
    """Divide each filter by half its width in hertz, so that all have the same area"""

    log: Log = Log.NATURAL

    log_floor: float = 1e-6
    """Mel energies below this are raised to it before the logarithm"""

    log_offset: float = 0.0
    """Added to every mel energy before the logarithm"""

    n_mfcc: int = 40
    """Coefficients kept, C0 included"""

    dct_norm: DctNorm = DctNorm.ORTHO

    lifter: int = 0
    """L in the cepstral lifter 1 + (L/2) sin(pi n / L); 0 is off"""

    lifter_first: int = 0
    """n of the first coefficient in the lifter's formula"""

    energy: bool = False
    """Replace C0 by the logarithm of the frame's energy (the sum of its spectrum)"""

    delta_orders: int = 0
    """0: none; 1: deltas after the coefficients; 2: the deltas of the deltas as well"""

    delta_width: int = 2
    """Frames on each side of the delta's regression; each order looks this many frames ahead"""

    pitch: bool = False
    """Append pitch and voicing to the coefficients; see `edge.frontend.pitch`"""

    def __post_init__(self) -> None:
        for field, kind in _ENUMS.items():
            self._set(field, kind, f"one of {', '.join(kind)}")
        for field, low in _MINIMA.items():
            self._set(field, _whole_number, f"a whole number from {low} to {_MOST}")
            if not low <= getattr(self, field) <= _MOST:
                raise FrontendConfigError(
                    f"{field} is {getattr(self, field)!r}; it must be a whole number from {low} to {_MOST}"
                )
        for field in _NUMBERS:
            self._set(field, _finite_number, "a finite number")
        for field in _FLAGS:
            self._set(field, _flag, "true or false")
        self._check_relations()

    def _set(self, field: str, convert: Callable[[Any], Any], wanted: str) -> None:
        value = getattr(self, field)
        try:
            object.__setattr__(self, field, convert(value))
        except (TypeError, ValueError, OverflowError):
            raise FrontendConfigError(f"{field} is {value!r}; it must be {wanted}") from None

    def _check_relations(self) -> None:
        nyquist = self.sample_rate / 2
        rules = (
            (self.frame_length <= self.n_fft,
             f"frame_length {self.frame_length} is longer than n_fft {self.n_fft}"),
            (self.hop_length <= self.frame_length,
             f"hop_length {self.hop_length} is longer than frame_length {self.frame_length}"),
            (self.lead < self.frame_length,
             f"lead {self.lead} must be shorter than frame_length {self.frame_length}"),
            (0.0 <= self.preemphasis < 1.0, f"preemphasis {self.preemphasis} is outside [0, 1)"),
            (0.0 <= self.fmin < self.fmax,
             f"fmin {self.fmin} must be >= 0 and below fmax {self.fmax}"),
            (self.fmax <= nyquist,
             f"fmax {self.fmax} is above half the sample rate ({nyquist} Hz)"),
            (self.n_mels <= self.n_fft,
             f"n_mels {self.n_mels} is more than n_fft {self.n_fft} can resolve"),
            (self.n_mfcc <= self.n_mels,
             f"n_mfcc {self.n_mfcc} is more than the {self.n_mels} mel filters can give"),
            (self.log_floor > 0.0, f"log_floor {self.log_floor} must be above 0"),
            (self.log_offset >= 0.0, f"log_offset {self.log_offset} must be >= 0"),
            (self.delta_orders <= 2, f"delta_orders {self.delta_orders} must be 0, 1 or 2"),
            (not (self.pitch and self.delta_orders), "pitch cannot be combined with deltas: turn one off"),
            (not self.pitch or self.sample_rate >= 8_000,
             f"pitch needs a sample_rate of 8000 or more, not {self.sample_rate}"),
        )  # fmt: skip
        for holds, message in rules:
            if not holds:
                raise FrontendConfigError(message)

    @property
    def n_features(self) -> int:
        """Values per frame, deltas or pitch included."""
        return self.n_mfcc * (1 + self.delta_orders) + self.n_pitch

    @property
    def n_pitch(self) -> int:
        """How many of these values, the last ones, are pitch and voicing."""
        return N_PITCH if self.pitch else 0

    @property
    def lookahead(self) -> int:
        """Frames by which the deltas hold a frame back."""
        return self.delta_orders * self.delta_width

    def frames_in(self, n_samples: int) -> int:
        """Number of whole frames in a signal of `n_samples`."""
        spare = n_samples + self.lead - self.frame_length
        return 0 if spare < 0 else 1 + spare // self.hop_length

    def replace(self, **changes: object) -> Self:
        """A copy with some fields changed."""
        return dataclasses.replace(self, **changes)  # type: ignore[arg-type]  # checked by __post_init__


def _whole_number(value: Any) -> int:
    if isinstance(value, bool):
        raise TypeError
    return operator.index(value)


def _finite_number(value: Any) -> float:
    if isinstance(value, bool | str) or not math.isfinite(value):
        raise TypeError
    return float(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


_ENUMS: dict[str, type[StrEnum]] = {
    "window": Window,
    "spectrum": Spectrum,
    "mel_scale": MelScale,
    "mel_shape": MelShape,
    "log": Log,
    "dct_norm": DctNorm,
}
_MINIMA = {
    "sample_rate": 1,
    "frame_length": 1,
    "hop_length": 1,
    "n_fft": 2,
    "lead": 0,
    "n_mels": 1,
    "n_mfcc": 1,
    "lifter": 0,
    "lifter_first": 0,
    "delta_orders": 0,
    "delta_width": 1,
}
_MOST = 2**20
"""Largest whole number among the settings: no useful value is larger, and the tables for a mistyped one
would fill the memory"""

_NUMBERS = ("preemphasis", "fmin", "fmax", "log_floor", "log_offset")
_FLAGS = ("periodic", "mel_area_norm", "energy", "pitch")
