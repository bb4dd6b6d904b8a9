import numpy as np
import pytest

from training.calibration import expected_calibration_error
from training.figures import figures
from training.fold import FoldResult
from training.protocols import Protocol
from training.recipe import Recipe

pytestmark = pytest.mark.training


def test_calibration_error_when_confidences_are_frequencies_then_near_0():
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.2, 1.0, 200_000)
    right = (rng.uniform(size=confidence.size) < confidence).astype(float)

    assert expected_calibration_error(confidence, right, np.ones(confidence.size)) < 0.005


@pytest.mark.parametrize("excess", [0.1, 0.3, -0.2])
def test_calibration_error_when_always_too_sure_then_by_how_much(excess):
    confidence = np.full(1_000, 0.6)
    right = (np.arange(1_000) < 1_000 * (0.6 - excess)).astype(float)

    assert expected_calibration_error(confidence, right, np.ones(1_000)) == pytest.approx(abs(excess))


def test_calibration_error_when_weights_differ_then_the_heavy_ones_decide():
    confidence, right = np.array([0.9, 0.5]), np.array([0.0, 0.5])

    assert expected_calibration_error(confidence, right, np.array([1.0, 0.0])) == pytest.approx(0.9)
    assert expected_calibration_error(confidence, right, np.array([0.0, 1.0])) == pytest.approx(0.0)


@pytest.mark.parametrize(("held_out", "measured"), [(6, True), (0, False)])
def test_calibration_when_speakers_were_held_out_then_measured_though_none_needed_a_temperature(
    held_out, measured
):
    fold = FoldResult(
        fold="1", seed=0, clips=["a", "b"], speakers=["s1", "s2"], sexes=["f", "m"], corpora=["c", "c"],
        languages=["en", "en"], truth=[0, 1], float_answers=[0, 1], int8_answers=[0, 0],
        int8_probabilities=[[0.8, 0.2], [0.6, 0.4]], int8_raw_confidences=[0.8, 0.6], float_headlines={},
        int8_by_turns={}, parameters=1, macs=1, file_bytes=1, runtime="litert", temperature=1.0, best_epoch=1,
        validation_uar=None, left_out=[],
    )  # fmt: skip
    protocol = Protocol("P9", "joint", ("angry", "sad"), ())
    made = figures(protocol, [fold], "a command", Recipe(validation_speakers=held_out))

    assert ("calibration" in made) is measured
    if measured:
        assert made["calibration"]["temperatures"] == [1.0]
        assert made["calibration"]["ece_before"] == made["calibration"]["ece_after"] == pytest.approx(0.4)
