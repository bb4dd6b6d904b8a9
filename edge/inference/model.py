"""The emotion model: frames of a turn in, a calibrated answer out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.inference.card import ModelCard
from edge.inference.errors import ModelFileError
from edge.inference.leaning import answer_of
from edge.inference.model_file import read_model_file
from edge.inference.runtime import Runtime, build_interpreter
from edge.inference.voice import Voice
from edge.inference.windows import Frames, cut_windows, each_window

SHIPPED_MODEL = Path(__file__).parent.parent / "models" / "affectd.tflite"

UNCERTAIN = "uncertain"


class ModelSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which model to use, and how to run it."""

    path: str = str(SHIPPED_MODEL)
    """Model file made by affectd-convert; default: the one installed last, or else the shipped one"""

    runtime: Runtime = Runtime.AUTO

    threads: int = 1
    """Threads, and so processor cores, that one inference uses"""

    trusted_keys: str = "/etc/affectd/model-keys"
    """Folder of public keys (*.pem); `affectd model install` accepts models that one of them has signed"""

    window_hop_s: float = 0.5
    """Longest hop in seconds between the windows whose probabilities are averaged over a turn"""

    def __post_init__(self) -> None:
        if not 1 <= self.threads <= 64:
            raise ValueError(f"threads is {self.threads}: it must be 1 to 64")
        if not 0.0 < self.window_hop_s <= 60.0:
            raise ValueError(f"window_hop_s is {self.window_hop_s}: it must be above 0 and at most 60 s")


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The model's answer to one turn."""

    emotion: str
    """One of the card's labels, or `uncertain`"""

    confidence: float
    """Calibrated probability of the most likely label"""

    probabilities: dict[str, float]
    arousal: float
    """-1 (calm) to 1 (excited)"""

    valence: float
    """-1 (unpleasant) to 1 (pleasant)"""


class EmotionModel:
    """A loaded model file."""

    def __init__(self, settings: ModelSettings | None = None) -> None:
        """Load the file and build its interpreter.

        Raises:
            ModelFileError: when the file cannot be used; see `read_model_file`.
            RuntimeMissingError: when no runtime can run it.
        """
        settings = settings or ModelSettings()
        self.card, flatbuffer = read_model_file(Path(settings.path))
        self.mfcc_config = self.card.mfcc_config
        self.uncertain_below = self.card.uncertain_below
        """Confidence below which an answer is `uncertain`; the card's value until it is changed"""
        self._interpreter, self.runtime = build_interpreter(flatbuffer, settings.runtime, settings.threads)
        try:
            self._input, self._output = _checked_tensors(self._interpreter, self.card)
        except ModelFileError as error:
            raise ModelFileError(f"{settings.path}: {error}; make it with affectd-convert") from error
        hop_s = self.mfcc_config.hop_length / self.mfcc_config.sample_rate
        self._window_hop = max(1, round(settings.window_hop_s / hop_s))
        self._mean = np.asarray(self.card.mean, np.float32)
        self._std = np.asarray(self.card.std, np.float32)
        self._unheard = self.new_voice()

    def new_voice(self) -> Voice:
        """A voice that has not been heard yet."""
        return Voice(self.card.reference, self.card.leaning)

    def windows(self, frames: Frames, voice: Voice | None = None) -> Frames:
        """The network's input windows (w, n_frames, n_features) for a turn's frames (n, n_features)."""
        return cut_windows(self._normalised(frames, voice), self.card.n_frames, self._window_hop)

    def logits(self, window: Frames) -> Frames:
        """Dequantised outputs (n_labels,) for one normalised window (n_frames, n_features)."""
        scale, zero = self._input["quantization"]
        quantised = np.clip(np.rint(window / scale) + zero, -128, 127).astype(np.int8)
        self._interpreter.set_tensor(self._input["index"], quantised.reshape(self._input["shape"]))
        self._interpreter.invoke()
        scale, zero = self._output["quantization"]
        raw = self._interpreter.get_tensor(self._output["index"]).ravel().astype(np.float32)
        return np.asarray((raw - zero) * scale, np.float32)

    def probabilities(self, frames: Frames, voice: Voice | None = None) -> NDArray[np.float64]:
        """Calibrated probabilities (n_labels,) of a turn: the mean over its windows, less the leaning.

        Args:
            frames: shape (n, n_features), n >= 1, as the front end gives them.
            voice: what is known about the speaker's voice; by default nothing.
        """
        heard = mean_probabilities(self.turn_logits(frames, voice), self.card.temperature)
        return (voice or self._unheard).upright(heard)

    def turn_logits(self, frames: Frames, voice: Voice | None = None) -> Frames:
        """Dequantised outputs (w, n_labels) for each window of a turn; see `probabilities`."""
        windows = each_window(self._normalised(frames, voice), self.card.n_frames, self._window_hop)
        return np.stack([self.logits(window) for window in windows])

    def _normalised(self, frames: Frames, voice: Voice | None) -> Frames:
        relative = (voice or self._unheard).relative(frames)
        return (relative - self._mean) / self._std

    def answer(self, frames: Frames, voice: Voice | None = None) -> Answer:
        """The answer to a turn's frames (n, n_features), n >= 1; see `probabilities`."""
        return self.interpret(self.probabilities(frames, voice))

    def teach(self, voice: Voice, frames: Frames) -> None:
        """Let a voice learn from a turn that it has spoken, frames (n, n_features), n >= 1."""
        voice.learn(frames.mean(axis=0), None if voice.leaning is None else self.answer_by_itself(frames))

    def answer_by_itself(self, frames: Frames) -> NDArray[np.float64]:
        """The answer (n_labels,) to a turn by itself, from which a leaning is learned; see `answer_of`."""
        return answer_of(self.probabilities(frames))

    def interpret(self, probabilities: NDArray[np.float64]) -> Answer:
        """Calibrated probabilities (n_labels,) as an answer."""
        best = int(np.argmax(probabilities))
        confidence = float(probabilities[best])
        places = np.array([self.card.circumplex[label] for label in self.card.labels])
        arousal, valence = (float(value) for value in probabilities @ places)
        return Answer(
            emotion=self.card.labels[best] if confidence >= self.uncertain_below else UNCERTAIN,
            confidence=confidence,
            probabilities=dict(zip(self.card.labels, probabilities.tolist(), strict=True)),
            arousal=arousal,
            valence=valence,
        )


def mean_probabilities(logits: NDArray[np.floating[Any]], temperature: float) -> NDArray[np.float64]:
    """Calibrated probabilities (n_labels,) of a turn from the logits (w, n_labels) of its windows."""
    return np.asarray(softmax(logits / temperature).mean(axis=0), np.float64)


def softmax(logits: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Probabilities along the last axis, in float64."""
    shifted = np.exp(np.asarray(logits, np.float64) - np.max(logits, axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True), np.float64)


def _checked_tensors(interpreter: Any, card: ModelCard) -> tuple[dict[str, Any], dict[str, Any]]:
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    if len(inputs) != 1 or len(outputs) != 1:
        raise ModelFileError(
            f"the model has {len(inputs)} inputs and {len(outputs)} outputs; it must have one of each"
        )
    given, taken = inputs[0], outputs[0]
    frames = (card.n_frames, card.mfcc_config.n_features)
    for side, tensor, shape in (("input", given, frames), ("output", taken, (len(card.labels),))):
        # Dimensions of 1 carry no meaning; the order of the others does.
        found = tuple(size for size in tensor["shape"].tolist() if size != 1)
        if tensor["dtype"] is not np.int8 or found != tuple(size for size in shape if size != 1):
            raise ModelFileError(
                f"the model's {side} is {np.dtype(tensor['dtype'])} {tuple(tensor['shape'].tolist())}, but "
                f"the card says int8 {shape}"
            )
        if not tensor["quantization"][0] > 0.0:
            raise ModelFileError(f"the model's {side} has no quantisation scale")
    return given, taken
