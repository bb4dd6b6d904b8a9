import numpy as np
import pytest

pytest.importorskip("pyroomacoustics")

from training.noise import SAMPLE_RATE  # nothing here runs without the library
from training.rooms import in_room, responses

pytestmark = pytest.mark.training


def decay_time(response):
    """Schroeder's backward integral, its fall from -5 to -25 dB stretched to 60 dB."""
    left = 10 * np.log10(np.cumsum(response[::-1].astype(float) ** 2)[::-1] / np.sum(response**2) + 1e-12)
    start, end = np.argmax(left < -5), np.argmax(left < -25)
    return 3 * (end - start) / SAMPLE_RATE


@pytest.mark.parametrize("rt60_s", [0.3, 0.6])
def test_responses_when_measured_then_the_room_decays_as_asked(rt60_s):
    found = [decay_time(response) for response in responses(rt60_s)]

    assert len(found) == 6
    assert np.mean(found) == pytest.approx(rt60_s, rel=0.15)
    for response in responses(rt60_s):
        assert np.sum(response**2) == pytest.approx(1.0, rel=1e-3)
        assert np.argmax(np.abs(response)) < 0.02 * SAMPLE_RATE


def test_responses_when_asked_again_then_the_same():
    first = [response.copy() for response in responses(0.3)]
    responses.cache_clear()

    for before, after in zip(first, responses(0.3), strict=True):
        np.testing.assert_array_equal(before, after)


def test_in_room_when_a_click_then_its_echoes_follow_and_nothing_is_before_it():
    click = np.zeros(8_000, np.float32)
    click[4_000] = 0.5
    heard = in_room(click, responses(0.6)[0])

    assert heard.size == click.size + responses(0.6)[0].size - 1
    assert np.abs(heard[:4_000]).max() < 1e-6
    assert np.abs(heard[4_500:]).max() > 0.001
