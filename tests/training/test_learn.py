"""How fast a run learns, step by step."""

import msgspec
import pytest
from voices import TINY

from training.learn import learning_rates

pytestmark = pytest.mark.training


def rates(epochs, steps=4):
    recipe = msgspec.structs.replace(TINY, epochs=epochs)
    schedule = learning_rates(recipe, steps)
    return [float(schedule(step)) for step in range(epochs * steps + 1)]


@pytest.mark.parametrize("epochs", [6, 7, 9, 60])
def test_learning_rates_when_epochs_are_many_then_three_warm_up_as_in_all_that_was_published(epochs):
    config = learning_rates(msgspec.structs.replace(TINY, epochs=epochs), 40).get_config()

    assert (config["warmup_steps"], config["decay_steps"]) == (3 * 40, (epochs - 3) * 40)


@pytest.mark.parametrize("epochs", [1, 2, 3, 5])
def test_learning_rates_when_epochs_are_few_then_the_peak_is_halfway_and_the_end_is_slow(epochs):
    found = rates(epochs)

    assert found.index(max(found)) == epochs * 4 // 2
    assert max(found) == pytest.approx(TINY.learning_rate)
    assert found[-1] == pytest.approx(0.01 * TINY.learning_rate)


def test_learning_rates_when_there_is_one_step_then_there_is_a_schedule():
    assert rates(1, steps=1)[-1] == pytest.approx(TINY.learning_rate)
