"""A model file as one C99 header, for microcontrollers: model, card and the front end's tables.

The header holds data alone. TensorFlow Lite Micro runs `affectd_model`; the comment at its top says how the
tables make a frame, in the terms of `edge.frontend.mfcc_chain` and, of the pitch, of `edge.frontend.pitch`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np

from converter.c_pitch import PITCH_FORMULAS, pitch_lines
from converter.c_text import array, in_comment, matrix, number, signed, string, whole_array
from edge.errors import AffectdError
from edge.frontend.mfcc_chain import chain
from edge.frontend.mfcc_config import MfccConfig, Spectrum
from edge.frontend.tables import analysis_window, mel_filterbank
from edge.inference.card import ModelCard
from edge.inference.leaning import LEAST_PROBABILITY
from edge.inference.model_file import read_model_file
from edge.inference.runtime import Runtime, build_interpreter

_PER_LINE = 20

_HEAD = """\
/* {name}: made by affectd-convert --c-array; do not edit.
 *
 * Model    {sha256}
 * Licence  {licence}
 *
 * A frame, from AFFECTD_FRAME_LENGTH samples in [-1, 1], AFFECTD_HOP_LENGTH after the one before:
 *   y[n]      = (x[n] - AFFECTD_PREEMPHASIS * x[n - 1]) * affectd_window[n], and zeros up to AFFECTD_N_FFT
 *   bin[k]    = |FFT(y)[k]|^2, or its root where AFFECTD_MAGNITUDE is 1; k = 0 .. AFFECTD_N_FFT / 2
 *   mel[m]    = sum of affectd_mel_weights[affectd_mel_offset[m] + i] * bin[affectd_mel_first[m] + i],
 *               i = 0 .. affectd_mel_length[m] - 1
 *   log[m]    = ln(max(mel[m] + AFFECTD_LOG_OFFSET, AFFECTD_LOG_FLOOR))
 *   mfcc[c]   = sum over m of affectd_dct[c][m] * log[m]{pitch}
 * Before the first sample stand AFFECTD_LEAD zeros. A turn is taken relative to a point between its own mean
 * own[c] and the mean heard[c] of the n turns of the same voice before it (with n = 0 the point is own[c]):
 *   r         = n * affectd_voice_variance[c] / (n * affectd_voice_variance[c] + affectd_turn_variance[c])
 *   point[c]  = own[c] + r * (heard[c] - own[c])
 * The model's input is AFFECTD_N_FRAMES of
 *   z[c]      = (mfcc[c] - point[c] - affectd_mean[c]) / affectd_std[c]
 *   in[c]     = clamp(round(z[c] / AFFECTD_INPUT_SCALE) + AFFECTD_INPUT_ZERO, -128, 127)
 * and AFFECTD_INPUT_ZERO in place of the frames that a shorter turn lacks. Its output is, for each label,
 *   logit     = (output - AFFECTD_OUTPUT_ZERO) * AFFECTD_OUTPUT_SCALE
 * and softmax(logit / AFFECTD_TEMPERATURE) are probabilities; the turn's, p, are their means over its
 * windows.{leaning}
 * Where the largest is below AFFECTD_UNCERTAIN_BELOW, the answer is "uncertain".
 */
#ifndef AFFECTD_MODEL_H
#define AFFECTD_MODEL_H

#include <stdint.h>
"""

_LEANING = """
 * What the voice is taken for anyway is taken off. An answer is ln(max(p[l], AFFECTD_LEAST_PROBABILITY)) less
 * its mean over the labels. Of the n turns of the voice before, each relative to its own mean, said[l] is the
 * mean answer:
 *   r         = n * AFFECTD_LEANING_VARIANCE / (n * AFFECTD_LEANING_VARIANCE + AFFECTD_ANSWER_VARIANCE)
 *   q[l]      = max(p[l], AFFECTD_LEAST_PROBABILITY) * exp(-r * (said[l] - affectd_usual[l]))
 * and q over its sum stands for p."""

_ALIGNED = """\
/* TensorFlow Lite Micro wants the model at a multiple of 16 bytes, which C99 itself cannot ask for. */
#if defined(__GNUC__) || defined(__clang__)
#define AFFECTD_ALIGNED __attribute__((aligned(16)))
#else
#define AFFECTD_ALIGNED
#endif
"""


class CArrayError(AffectdError):
    """Raised when a model's front end cannot be told in tables."""

    exit_code = 65


def write_c_array(model: Path, output: Path) -> int:
    """Write the header of a model file; gives its size in bytes.

    Raises:
        ModelFileError: when it is no model file.
        CArrayError: when its front end has what the header cannot say.
        OSError: when it cannot be written.
    """
    card, flatbuffer = read_model_file(model)
    text = "\n".join(_lines(card, flatbuffer))
    partial = output.with_name(output.name + ".partial")
    partial.write_text(text + "\n", encoding="ascii")
    partial.replace(output)
    return output.stat().st_size


def _lines(card: ModelCard, flatbuffer: bytes) -> Iterator[str]:
    config = card.mfcc_config
    if config.delta_orders or config.energy:
        raise CArrayError(
            "the model's front end has deltas or an energy, which the header does not describe: train without"
        )
    yield _HEAD.format(
        name=in_comment(card.name),
        sha256=card.flatbuffer_sha256,
        licence=in_comment(card.licence),
        pitch=PITCH_FORMULAS if config.pitch else "",
        leaning=_LEANING if card.leaning else "",
    )
    yield from _card_lines(card)
    yield from _front_end_lines(config)
    yield _ALIGNED
    interpreter, _ = build_interpreter(flatbuffer, Runtime.AUTO, 1)
    for side, details in (
        ("INPUT", interpreter.get_input_details()),
        ("OUTPUT", interpreter.get_output_details()),
    ):
        scale, zero = details[0]["quantization"]
        yield f"#define AFFECTD_{side}_SCALE {number(scale)}"
        yield f"#define AFFECTD_{side}_ZERO {signed(int(zero))}"
    yield f"#define AFFECTD_MODEL_BYTES {len(flatbuffer)}"
    yield f"static const uint8_t affectd_model[{len(flatbuffer)}] AFFECTD_ALIGNED = {{"
    for start in range(0, len(flatbuffer), _PER_LINE):
        yield ",".join(str(byte) for byte in flatbuffer[start : start + _PER_LINE]) + ","
    yield "};\n\n#endif"


def _card_lines(card: ModelCard) -> Iterator[str]:
    n = len(card.labels)
    yield f"#define AFFECTD_N_LABELS {n}"
    yield f"#define AFFECTD_N_FRAMES {card.n_frames}"
    yield f"#define AFFECTD_N_FEATURES {len(card.mean)}"
    yield f"#define AFFECTD_TEMPERATURE {number(card.temperature)}"
    yield f"#define AFFECTD_UNCERTAIN_BELOW {number(card.uncertain_below)}\n"
    labels = ", ".join(string(label) for label in card.labels)
    yield f"static const char *const affectd_labels[{n}] = {{{labels}}};\n"
    for index, name in enumerate(("arousal", "valence")):
        yield from array(f"affectd_{name}[{n}]", [card.circumplex[label][index] for label in card.labels])
    yield from array(f"affectd_mean[{len(card.mean)}]", card.mean)
    yield from array(f"affectd_std[{len(card.std)}]", card.std)
    for name, values in msgspec.structs.asdict(card.reference).items():
        yield from array(f"affectd_{name}[{len(values)}]", values)
    if card.leaning:
        yield f"#define AFFECTD_LEAST_PROBABILITY {number(LEAST_PROBABILITY)}"
        yield f"#define AFFECTD_LEANING_VARIANCE {number(card.leaning.voice_variance)}"
        yield f"#define AFFECTD_ANSWER_VARIANCE {number(card.leaning.turn_variance)}"
        yield from array(f"affectd_usual[{n}]", card.leaning.usual)


def _front_end_lines(config: MfccConfig) -> Iterator[str]:
    for name in ("sample_rate", "frame_length", "hop_length", "n_fft", "lead", "n_mels", "n_mfcc"):
        yield f"#define AFFECTD_{name.upper()} {getattr(config, name)}"
    for name in ("preemphasis", "log_floor", "log_offset"):
        yield f"#define AFFECTD_{name.upper()} {number(getattr(config, name))}"
    yield f"#define AFFECTD_MAGNITUDE {int(config.spectrum is Spectrum.MAGNITUDE)}\n"
    yield from array(f"affectd_window[{config.frame_length}]", analysis_window(config))
    scale = 1.0 / config.n_fft if config.spectrum is Spectrum.PERIODOGRAM else 1.0
    bank = mel_filterbank(config) * scale
    covered = [np.flatnonzero(bank[:, m]) for m in range(config.n_mels)]
    first = [int(bins[0]) for bins in covered]
    lengths = [int(bins[-1]) + 1 - int(bins[0]) for bins in covered]
    offsets = [sum(lengths[:m]) for m in range(config.n_mels)]
    for name, values in (("first", first), ("length", lengths), ("offset", offsets)):
        yield from whole_array(f"affectd_mel_{name}[{len(values)}]", values)
    weights = np.concatenate(
        [bank[a : a + n, m] for m, (a, n) in enumerate(zip(first, lengths, strict=True))]
    )
    yield from array(f"affectd_mel_weights[{len(weights)}]", weights)
    # The chain's own matrix: lifter and decibels are in it.
    yield from matrix("affectd_dct", chain(config).dct.T)
    if config.pitch:
        yield from pitch_lines(config)
