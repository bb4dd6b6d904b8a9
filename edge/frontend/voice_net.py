"""Is it a voice? A recurrent network of a few kilobytes on the MFCC frames that are computed anyway.

It hears two frames at a time (20 ms), less their running mean, so that neither gain nor the colour of the
microphone and room counts: one layer of gated recurrent units (Cho et al., "Learning phrase representations
using RNN encoder-decoder", 2014) and one logistic unit. Plain numpy, whose overhead is the larger part of its
cost.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import AffectdError

Floats = NDArray[np.float32]

SHIPPED_NET = Path(__file__).parent.parent / "models" / "voice.npz"

FRAMES = 2
"""MFCC frames to one step of the network"""

_COEFFICIENTS = 20
_MEAN_STEPS = 150.0
"""Time constant of the running mean: 3 s"""

_LIMIT = 60.0
"""Largest deviation from the running mean; digital silence lies farther off than any sound"""


class VoiceNetError(AffectdError):
    """Raised when the weights of the voice activity network cannot be used."""

    exit_code = 65


class RunningMean:
    """Steps (n, n_inputs) less their own running mean, which begins with the first."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the room."""
        self._mean: Floats | None = None
        self._steps = 0

    def push(self, steps: Floats) -> Floats:
        """Deviations of the next steps from the mean of those before and themselves; same shape."""
        out = np.empty_like(steps)
        for number, step in enumerate(steps):
            self._steps += 1
            mean = step if self._mean is None else self._mean
            mean = mean + (step - mean) * np.float32(max(1.0 / self._steps, 1.0 / _MEAN_STEPS))
            self._mean = mean
            out[number] = step - mean
        return np.clip(out, -_LIMIT, _LIMIT, out=out)


def voice_features(frames: Floats) -> Floats:
    """Inputs (m // 2, n_inputs) of the network for a signal's MFCC frames (m, n_mfcc)."""
    return RunningMean().push(paired(frames))


def paired(frames: Floats) -> Floats:
    """Frames (m, n_mfcc), m even or its last left out, as steps (m // 2, n_inputs)."""
    n = len(frames) // FRAMES
    return np.ascontiguousarray(frames[: n * FRAMES, :_COEFFICIENTS]).reshape(n, FRAMES * _COEFFICIENTS)


@dataclass(frozen=True)
class VoiceWeights:
    """The network's weights; matrices are int8 with a scale for each column."""

    mean: Floats
    std: Floats
    kernel: NDArray[np.int8]
    kernel_scale: Floats
    recurrent: NDArray[np.int8]
    recurrent_scale: Floats
    bias: Floats
    out: Floats
    out_bias: Floats

    @classmethod
    def rounded(
        cls, mean: Any, std: Any, kernel: Any, recurrent: Any, bias: Any, out: Any, out_bias: float
    ) -> VoiceWeights:
        """Of a network in floating point with u units, whose gates stand in the order z, r, h.

        Args:
            mean: of the inputs, shape (n_inputs,).
            std: of the inputs, likewise.
            kernel: of the inputs, shape (n_inputs, 3 u).
            recurrent: of the units themselves, shape (u, 3 u).
            bias: shape (3 u,).
            out: of the logistic unit, shape (u,).
            out_bias: its bias.
        """
        scales = [np.abs(matrix).max(axis=0) / 127.0 for matrix in (kernel, recurrent)]
        return cls(
            np.asarray(mean, np.float32),
            np.asarray(std, np.float32),
            np.rint(kernel / scales[0]).astype(np.int8),
            scales[0].astype(np.float32),
            np.rint(recurrent / scales[1]).astype(np.int8),
            scales[1].astype(np.float32),
            np.asarray(bias, np.float32),
            np.asarray(out, np.float32),
            np.asarray([out_bias], np.float32),
        )

    def save(self, path: Path) -> None:
        """Write them as .npz."""
        np.savez_compressed(path, **{field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, path: Path = SHIPPED_NET) -> VoiceWeights:
        """Read them.

        Raises:
            VoiceNetError: when the file is missing, damaged, or of another shape.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                weights = cls(**{field.name: file[field.name] for field in fields(cls)})
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise VoiceNetError(
                f'{path} cannot be used ({error}); install affectd again, or set gate.detector = "energy"'
            ) from error
        units = len(weights.out)
        inputs = FRAMES * _COEFFICIENTS
        if (weights.kernel.shape, weights.recurrent.shape) != ((inputs, 3 * units), (units, 3 * units)):
            raise VoiceNetError(f"{path} holds weights of another network; install affectd again")
        return weights


class VoiceNet:
    """The network and its memory."""

    def __init__(self, weights: VoiceWeights) -> None:
        self._kernel = (weights.kernel * weights.kernel_scale / weights.std[:, None]).astype(np.float32)
        self._bias = (weights.bias - weights.mean @ self._kernel).astype(np.float32)
        recurrent = (weights.recurrent * weights.recurrent_scale).astype(np.float32)
        self._units = len(weights.out)
        self._gates = np.ascontiguousarray(recurrent[:, : 2 * self._units])
        self._candidate = np.ascontiguousarray(recurrent[:, 2 * self._units :])
        self._out, self._out_bias = weights.out, float(weights.out_bias[0])
        self.reset()

    def reset(self) -> None:
        """Forget what was heard."""
        self._state = np.zeros(self._units, np.float32)

    def project(self, steps: Floats) -> Floats:
        """What the inputs (n, n_inputs) of some steps add to the units, shape (n, 3 units)."""
        # A row at a time: a product of more rows adds in another order, and the result hung on the cut.
        out = np.empty((len(steps), 3 * self._units), np.float32)
        for number, step in enumerate(steps):
            np.dot(step, self._kernel, out=out[number])
        return np.asarray(out + self._bias)

    def step(self, projected: Floats) -> float:
        """Probability that the step is speech."""
        units, state = self._units, self._state
        gates = _logistic(projected[: 2 * units] + state @ self._gates)
        update, reset = gates[:units], gates[units:]
        candidate = np.tanh(projected[2 * units :] + (reset * state) @ self._candidate)
        self._state = candidate + update * (state - candidate)
        return float(_logistic(self._state @ self._out + np.float32(self._out_bias)))


def _logistic(x: Any) -> Any:
    return np.float32(0.5) * (np.float32(1.0) + np.tanh(np.float32(0.5) * x))
