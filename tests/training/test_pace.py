"""How long a training will take."""

import pytest

pytestmark = pytest.mark.training


@pytest.mark.parametrize("first_epoch", [0, 2])
def test_pace_when_some_batches_were_seen_then_tells_once_what_is_left(first_epoch):
    from training.pace import Pace  # noqa: PLC0415  # TensorFlow must first be told the number of cores

    told, now = [], [0.0]
    pace = Pace(10, lambda *news: told.append(news), lambda: now[0])
    pace.set_params({"epochs": 8})
    for epoch in range(first_epoch, 8):
        pace.on_epoch_begin(epoch)
        for batch in range(10):
            # The first takes a minute, as compiling does, and the others two seconds each.
            now[0] += 2.0 if (epoch, batch) != (first_epoch, 0) else 60.0
            pace.on_train_batch_end(batch)
    left = 80 - 10 * first_epoch - 23

    assert told == [(left, pytest.approx(2.0 * left))]
