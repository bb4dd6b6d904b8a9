"""How long the waits between attempts are."""

from __future__ import annotations

import random

from edge.mqtt.backoff import LONGEST_S, SHORTEST_S, Backoff


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_waits_when_every_attempt_fails_then_grow_to_the_longest_and_stay_within_bounds() -> None:
    backoff = Backoff(draw=random.Random(6).uniform)
    waits = [backoff.next_s() for _ in range(1000)]
    assert all(SHORTEST_S <= wait <= LONGEST_S for wait in waits)
    assert waits[0] <= 3 * SHORTEST_S
    assert max(waits) == LONGEST_S
    # A storm would be many attempts in little time: here it is some two a minute.
    assert sum(waits) / len(waits) > LONGEST_S / 2


def test_waits_when_two_devices_begin_alike_then_part() -> None:
    one, other = Backoff(draw=random.Random(1).uniform), Backoff(draw=random.Random(2).uniform)
    assert [one.next_s() for _ in range(5)] != [other.next_s() for _ in range(5)]


def test_wait_when_the_connection_stood_then_is_short_again() -> None:
    clock = Clock()
    backoff = Backoff(draw=lambda _, high: high, clock=clock)
    before = [backoff.next_s() for _ in range(5)]
    backoff.welcomed()
    clock.now += 3600.0
    assert backoff.next_s() == before[0] == 3.0


def test_wait_when_the_broker_lets_us_in_and_breaks_off_at_once_then_goes_on_growing() -> None:
    clock = Clock()
    backoff = Backoff(draw=lambda _, high: high, clock=clock)
    waits = []
    for _ in range(6):
        backoff.welcomed()
        clock.now += 0.1
        waits.append(backoff.next_s())
    assert waits == [3.0, 9.0, 27.0, 60.0, 60.0, 60.0]
