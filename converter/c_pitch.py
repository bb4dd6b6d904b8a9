"""Pitch and voicing in the C header: their formulas, constants and tables."""

from __future__ import annotations

from collections.abc import Iterator

from converter.c_text import array, number
from edge.frontend import pitch
from edge.frontend.mfcc_settings import MfccSettings

PITCH_FORMULAS = """
 *
 * Pitch and voicing. Two features follow the coefficients: mfcc[AFFECTD_N_MFCC] = pitch, in octaves above
 * AFFECTD_PITCH_MIDDLE_HZ, and mfcc[AFFECTD_N_MFCC + 1] = voicing. They are computed from the last
 * AFFECTD_PITCH_LENGTH samples x up to the end of the frame, with zeros before the first sample of the turn.
 *   y[n]      = x[n] * affectd_pitch_window[n], then zeros up to AFFECTD_PITCH_N_FFT
 *   bin[k]    = |FFT(y)[k]|^2; k = AFFECTD_PITCH_FIRST_BIN .. AFFECTD_PITCH_LAST_BIN
 *   r(l)      = 2 / AFFECTD_PITCH_N_FFT * sum over k of bin[k] * cos(2 pi k l / AFFECTD_PITCH_N_INVERSE)
 *   loudest   = max(AFFECTD_PITCH_FADING * loudest, r(0))
 *   energy    = r(0) + AFFECTD_PITCH_FAINT * loudest + AFFECTD_PITCH_SILENCE
 *   height[i] = r(AFFECTD_PITCH_FIRST_LAG + i) / energy / affectd_pitch_expected[i],
 *               i = 0 .. AFFECTD_PITCH_N_LAGS - 1
 * A peak is an index i, neither the first nor the last, with height[i] > 0, height[i - 1] <= height[i] and
 * height[i + 1] < height[i]. p is the peak with the largest height[p] * affectd_pitch_preference[p]. Without
 * a peak, voicing is 0 and pitch keeps its value. Otherwise:
 *   voicing   = min(height[p], 1)
 *   shift     = (height[p - 1] - height[p + 1]) / (height[p - 1] - 2 * height[p] + height[p + 1]) / 2
 *   hertz     = AFFECTD_PITCH_LAG_RATE / (AFFECTD_PITCH_FIRST_LAG + p + shift)
 *   step      = log2(hertz / AFFECTD_PITCH_MIDDLE_HZ) - pitch
 *   certain   = clamp((voicing - AFFECTD_VOICED_FROM) / (AFFECTD_VOICED_CERTAIN - AFFECTD_VOICED_FROM), 0, 1)
 *   pitch    += AFFECTD_PITCH_FASTEST * certain * step, times AFFECTD_PITCH_LEAP_SHARE where
 *               |step| > AFFECTD_PITCH_LEAP_OCTAVES
 * Exception: pitch stays 0 until the first frame whose certain is at least AFFECTD_PITCH_FIRST_CERTAIN, and
 * takes the whole step there. At the start of a turn, loudest and pitch are 0. Both are kept through the
 * pauses of the turn.
 *"""


def pitch_lines(config: MfccSettings) -> Iterator[str]:
    """The constants and tables that the formulas name."""
    tables = pitch.pitch_tables(config)
    for name, whole in (
        ("LENGTH", tables.length),
        ("N_FFT", tables.n_fft),
        ("FIRST_BIN", tables.first_bin),
        ("LAST_BIN", tables.n_bins - 1),
        ("N_INVERSE", tables.n_inverse),
        ("FIRST_LAG", tables.lags[0]),
        ("N_LAGS", len(tables.lags)),
    ):
        yield f"#define AFFECTD_PITCH_{name} {whole}"
    for name, value in (
        ("PITCH_LAG_RATE", tables.lag_rate),
        ("PITCH_MIDDLE_HZ", pitch.MIDDLE_HZ),
        ("PITCH_FADING", tables.fading),
        ("PITCH_FAINT", pitch.FAINT),
        ("PITCH_SILENCE", tables.silence),
        ("VOICED_FROM", pitch.VOICED[0]),
        ("VOICED_CERTAIN", pitch.VOICED[1]),
        ("PITCH_FIRST_CERTAIN", pitch.FIRST_CERTAIN),
        ("PITCH_FASTEST", pitch.FASTEST),
        ("PITCH_LEAP_OCTAVES", pitch.LEAP_OCTAVES),
        ("PITCH_LEAP_SHARE", pitch.LEAP_SHARE),
    ):
        yield f"#define AFFECTD_{name} {number(value)}"
    yield ""
    for name, values in (
        ("window", tables.window),
        ("expected", tables.expected),
        ("preference", tables.preference),
    ):
        yield from array(f"affectd_pitch_{name}[{len(values)}]", values)
