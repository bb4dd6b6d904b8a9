import math

import pytest

from edge.audio.patience import LONGEST_S, Patience


@pytest.mark.parametrize("longest_s", [LONGEST_S, 3600.0])
def test_patience_when_attempts_fail_then_waits_double_up_to_the_longest(longest_s):
    patience = Patience(0.5, math.inf, longest_s)
    waits = []
    for _ in range(20):
        waits.append(patience.wait_s)
        patience.tried()

    assert waits[:4] == [0.5, 1.0, 2.0, 4.0]
    assert waits[-1] == max(waits) == longest_s


def test_patience_when_there_was_steady_sound_then_it_begins_with_the_first_wait_again():
    patience = Patience(0.5, math.inf)
    for _ in range(5):
        patience.tried()
    patience.heard(4.0)
    patience.lost()
    patience.heard(4.0)
    assert patience.wait_s == 16.0

    patience.heard(4.0)
    assert patience.wait_s == 0.5
