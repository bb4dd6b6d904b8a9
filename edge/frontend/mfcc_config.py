"""Every setting of the MFCC front end, and the settings of the libraries people port from."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import StrEnum


class FrontendConfigError(ValueError):
    """Raised when a front end configuration makes no sense; the message names the field."""


class Window(StrEnum):
    """Shape of the analysis window, `frame_length` samples long."""

    RECTANGULAR = "rectangular"
    HANN = "hann"
    HAMMING = "hamming"


class Spectrum(StrEnum):
    """What the mel filters add up for each bin of the Fourier transform X."""

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
    """How the corners of a triangular filter meet the bins of the Fourier transform."""

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


@dataclass(frozen=True, kw_only=True, slots=True)
class MfccConfig:
    """Settings of one MFCC front end. The defaults are those of the shipped model.

    Raises:
        FrontendConfigError: at construction, when a value makes no sense.
    """

    sample_rate: int = 16_000
    """Hertz"""

    frame_length: int = 400
    """Samples under the window: 25 ms at 16 kHz"""

    hop_length: int = 160
    """Samples from one frame to the next: 10 ms at 16 kHz"""

    n_fft: int = 512
    """Points of the Fourier transform; a shorter frame is padded with zeros"""

    lead: int = 0
    """Zeros taken to stand before the first sample; n_fft // 2 for libraries that centre their frames"""

    preemphasis: float = 0.0
    """a in y[n] = x[n] - a x[n-1], with x[-1] = 0; 0 is off"""

    window: Window = Window.HANN

    periodic: bool = True
    """The window repeats after frame_length samples (DFT-even); else it is symmetric"""

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
    """0: none; 1: deltas behind the coefficients; 2: their deltas as well"""

    delta_width: int = 2
    """Frames on each side of the delta's regression; each order looks this many frames ahead"""

    def __post_init__(self) -> None:
        for field, kind in _ENUMS.items():
            try:
                object.__setattr__(self, field, kind(getattr(self, field)))
            except ValueError:
                known = ", ".join(kind)
                raise FrontendConfigError(
                    f"{field} is {getattr(self, field)!r}; choose one of {known}"
                ) from None
        for field, low in _MINIMA.items():
            value = getattr(self, field)
            if isinstance(value, bool) or not isinstance(value, int) or value < low:
                raise FrontendConfigError(f"{field} is {value!r}; it must be a whole number >= {low}")
        self._check_relations()

    def _check_relations(self) -> None:
        nyquist = self.sample_rate / 2
        rules = (
            (self.frame_length <= self.n_fft,
             f"frame_length {self.frame_length} is longer than n_fft {self.n_fft}"),
            (self.hop_length <= self.frame_length,
             f"hop_length {self.hop_length} skips samples of a frame of {self.frame_length}"),
            (0.0 <= self.preemphasis < 1.0, f"preemphasis {self.preemphasis} is outside [0, 1)"),
            (0.0 <= self.fmin < self.fmax,
             f"fmin {self.fmin} must be >= 0 and below fmax {self.fmax}"),
            (self.fmax <= nyquist,
             f"fmax {self.fmax} is above half the sample rate ({nyquist} Hz)"),
            (self.n_mfcc <= self.n_mels,
             f"n_mfcc {self.n_mfcc} is more than the {self.n_mels} mel filters can give"),
            (0.0 < self.log_floor < float("inf"), f"log_floor {self.log_floor} must be above 0"),
            (0.0 <= self.log_offset < float("inf"), f"log_offset {self.log_offset} must be >= 0"),
            (self.delta_orders <= 2, f"delta_orders {self.delta_orders} must be 0, 1 or 2"),
            (self.lead <= self.n_fft, f"lead {self.lead} is longer than n_fft {self.n_fft}"),
        )  # fmt: skip
        for holds, message in rules:
            if not holds:
                raise FrontendConfigError(message)

    @property
    def n_features(self) -> int:
        """Values per frame, deltas included."""
        return self.n_mfcc * (1 + self.delta_orders)

    @property
    def lookahead(self) -> int:
        """Frames by which the deltas hold a frame back."""
        return self.delta_orders * self.delta_width

    def frames_in(self, n_samples: int) -> int:
        """Number of whole frames in a signal of `n_samples`."""
        spare = n_samples + self.lead - self.frame_length
        return 0 if spare < 0 else 1 + spare // self.hop_length

    def replace(self, **changes: object) -> MfccConfig:
        """A copy with some fields changed."""
        return dataclasses.replace(self, **changes)  # type: ignore[arg-type]  # checked by __post_init__

    @classmethod
    def python_speech_features(
        cls,
        samplerate: int = 16_000,
        winlen: float = 0.025,
        winstep: float = 0.01,
        numcep: int = 13,
        nfilt: int = 26,
        nfft: int = 512,
        lowfreq: float = 0.0,
        highfreq: float | None = None,
        preemph: float = 0.97,
        ceplifter: int = 22,
        append_energy: bool = True,
        window: Window = Window.RECTANGULAR,
    ) -> MfccConfig:
        """The settings of `python_speech_features.mfcc`, under that function's own names.

        A `window` stands for `winfunc=numpy.hanning` or `numpy.hamming` (symmetric); its default there
        is no window at all. The library pads the last, incomplete frame with zeros; here it is left out.
        """
        return cls(
            sample_rate=samplerate,
            frame_length=int(winlen * samplerate + 0.5),
            hop_length=int(winstep * samplerate + 0.5),
            n_fft=nfft,
            preemphasis=preemph,
            window=window,
            periodic=False,
            spectrum=Spectrum.PERIODOGRAM,
            n_mels=nfilt,
            fmin=lowfreq,
            fmax=highfreq or samplerate / 2,
            mel_shape=MelShape.BIN,
            log_floor=2.220446049250313e-16,
            n_mfcc=numcep,
            lifter=ceplifter,
            energy=append_energy,
        )

    @classmethod
    def librosa(
        cls,
        sr: int = 22_050,
        n_mfcc: int = 20,
        n_fft: int = 2_048,
        hop_length: int = 512,
        win_length: int | None = None,
        n_mels: int = 128,
        fmin: float = 0.0,
        fmax: float | None = None,
        htk: bool = False,
        lifter: int = 0,
        center: bool = True,
    ) -> MfccConfig:
        """The settings of `librosa.feature.mfcc`, under that function's own names.

        librosa then clips at 80 dB below the loudest frame of the whole signal, which no stream can know:
        the values equal those of `power_to_db(..., top_db=None)`. With `center=True` the first frames
        agree as well; those that librosa adds behind the end of the signal are left out.

        Raises:
            FrontendConfigError: for `center=False` with a window shorter than `n_fft`.
        """
        length = win_length or n_fft
        margin = (n_fft - length) // 2
        if margin and not center:
            raise FrontendConfigError(
                "center=False needs win_length == n_fft: the frames start late otherwise"
            )
        return cls(
            sample_rate=sr,
            frame_length=length,
            hop_length=hop_length,
            n_fft=n_fft,
            lead=n_fft // 2 - margin if center else 0,
            n_mels=n_mels,
            fmin=fmin,
            fmax=fmax or sr / 2,
            mel_scale=MelScale.HTK if htk else MelScale.SLANEY,
            mel_area_norm=True,
            log=Log.DECIBEL,
            log_floor=1e-10,
            n_mfcc=n_mfcc,
            lifter=lifter,
            lifter_first=1,
        )

    @classmethod
    def tf_signal(
        cls,
        sample_rate: int = 16_000,
        frame_length: int = 1_024,
        frame_step: int = 256,
        fft_length: int = 1_024,
        num_mel_bins: int = 80,
        lower_edge_hertz: float = 80.0,
        upper_edge_hertz: float = 7_600.0,
        n_mfcc: int = 13,
        log_offset: float = 1e-6,
    ) -> MfccConfig:
        """The settings of the `tf.signal` chain, under TensorFlow's own names.

        The chain is `abs(stft)`, `linear_to_mel_weight_matrix`, `log(mel + log_offset)`,
        `mfccs_from_log_mel_spectrograms`, as in TensorFlow's documentation of the last.
        """
        return cls(
            sample_rate=sample_rate,
            frame_length=frame_length,
            hop_length=frame_step,
            n_fft=fft_length,
            spectrum=Spectrum.MAGNITUDE,
            n_mels=num_mel_bins,
            fmin=lower_edge_hertz,
            fmax=upper_edge_hertz,
            mel_shape=MelShape.MEL,
            log_floor=1e-30,
            log_offset=log_offset,
            n_mfcc=n_mfcc,
            dct_norm=DctNorm.HTK,
        )


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
