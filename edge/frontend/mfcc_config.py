"""The configuration of the MFCC front end, and constructors that match other libraries."""

from __future__ import annotations

from edge.frontend.mfcc_choices import DctNorm, Log, MelScale, MelShape, Spectrum, Window
from edge.frontend.mfcc_settings import FrontendConfigError, MfccSettings

__all__ = [
    "DctNorm",
    "FrontendConfigError",
    "Log",
    "MelScale",
    "MelShape",
    "MfccConfig",
    "Spectrum",
    "Window",
]


class MfccConfig(MfccSettings):
    """Settings of one MFCC front end: the fields of `MfccSettings`, or one of the named constructors.

    The constructors take a library's own parameter names and defaults, so that a call to it can be copied.
    """

    __slots__ = ()

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

        `window` replaces `winfunc`: give `Window.HANN` for `numpy.hanning`, and `Window.HAMMING` for
        `numpy.hamming` (both symmetric). The default of the library is no window. The library pads the last,
        incomplete frame with zeros; here that frame is left out.
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

        librosa also clips at 80 dB below the loudest frame of the whole signal, which no stream can know:
        the values here equal those of `power_to_db(..., top_db=None)`. With `center=True` the first frames
        agree as well; those that librosa adds after the end of the signal are left out.

        Raises:
            FrontendConfigError: for `center=False` with a window shorter than `n_fft`.
        """
        length = win_length or n_fft
        margin = (n_fft - length) // 2
        if margin and not center:
            raise FrontendConfigError(
                "center=False needs win_length == n_fft: otherwise librosa's frames start later"
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
            # tf.signal.hann_window: a window of odd length is symmetric, whatever `periodic` says.
            periodic=frame_length % 2 == 0,
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
