import numpy as np
import pytest

from training.calibration import expected_calibration_error


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
