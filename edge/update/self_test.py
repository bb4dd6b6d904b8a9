"""A model's self-test, in a separate process, because a model can crash or hang the process that runs it.

The model's release contains windows, with the logits that they gave on the signing machine. Here they must
give the same, every time, and fast enough for the settings of this device.

`python -m edge.update.self_test` is that process; it reads the settings from standard input.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import msgspec
import numpy as np

from edge.errors import AffectdError
from edge.inference.model import EmotionModel, ModelSettings
from edge.inference.windows import Frames
from edge.update.errors import UpdateError
from edge.update.release import Release, read_release

_TIMEOUT_S = 120.0
_ROUNDS = 5
_TOLERANCE = 0.05
"""As a share of the largest logit: about four steps of an int8 output. Runtimes differ by one"""


class SelfTestResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a self-test."""

    passed: bool
    reason: str = ""
    """Why it did not pass"""

    window_ms: float = 0.0
    """Median time of one inference"""

    difference: float = 0.0
    """Largest difference between a logit here and on the signing machine, as a share of the largest logit"""


def slower_than_allowed(window_ms: float, settings: ModelSettings) -> str | None:
    """The reason why a model is too slow, if a window takes longer than the hop; None if it does not."""
    allowed_ms = 1000.0 * settings.window_hop_s
    if window_ms <= allowed_ms:
        return None
    return (
        f"an inference takes {window_ms:.1f} ms, and window_hop_s of {settings.window_hop_s:g} s allows "
        f"{allowed_ms:g} ms"
    )


def run_apart(settings: ModelSettings) -> SelfTestResult:
    """Test the model of these settings in a child process, whose crash or hang is a result too."""
    command = [sys.executable, "-m", "edge.update.self_test"]
    try:
        done = subprocess.run(
            command, input=msgspec.json.encode(settings), capture_output=True, timeout=_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return SelfTestResult(passed=False, reason=f"it gave no answer within {_TIMEOUT_S:g} s")
    except OSError as error:
        return SelfTestResult(passed=False, reason=f"it could not be run: {error.strerror}")
    try:
        return msgspec.json.decode(done.stdout, type=SelfTestResult)
    except msgspec.MsgspecError:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        why = f"signal {-done.returncode}" if done.returncode < 0 else f"exit code {done.returncode}"
        return SelfTestResult(
            passed=False, reason=f"it ended its process ({why}); {said[-1] if said else 'it printed nothing'}"
        )


def examine(model: EmotionModel, release: Release, settings: ModelSettings) -> SelfTestResult:
    """Run a release's windows through its model."""
    windows, expected = release.test_windows(), np.array(release.logits)
    if expected.shape != (len(windows), len(model.card.labels)):
        return SelfTestResult(passed=False, reason="its self-test belongs to a model with other labels")
    took: list[float] = []
    answers = []
    for _ in range(_ROUNDS):
        answers.append([_timed(model, window, took) for window in windows])
    first = np.array(answers[0])
    if any(not np.array_equal(first, again) for again in answers[1:]):
        return SelfTestResult(passed=False, reason="the same window gives different answers")
    difference = float(np.abs(first - expected).max() / max(1e-9, np.abs(expected).max()))
    window_ms = float(np.median(took[len(windows) :]))
    if not difference <= _TOLERANCE:
        reason: str | None = (
            f"its logits differ by {difference:.0%} of the largest from those on the signing machine: the "
            f"runtime {model.runtime} computes something else"
        )
    else:
        reason = slower_than_allowed(window_ms, settings)
    return SelfTestResult(
        passed=reason is None, reason=reason or "", window_ms=window_ms, difference=difference
    )


def _timed(model: EmotionModel, window: Frames, took: list[float]) -> Frames:
    begun = time.perf_counter()
    logits = model.logits(window)
    took.append(1000.0 * (time.perf_counter() - begun))
    return logits


def main() -> int:
    """Test the model of the settings on standard input, and print the result as JSON."""
    settings = msgspec.json.decode(sys.stdin.buffer.read(), type=ModelSettings)
    try:
        release = read_release(Path(settings.path))
        if release is None:
            raise UpdateError("the model contains no self-test")
        result = examine(EmotionModel(settings), release, settings)
    except (AffectdError, ValueError) as error:
        result = SelfTestResult(passed=False, reason=str(error))
    sys.stdout.buffer.write(msgspec.json.encode(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
