"""A network that falls silent without a word: how soon it is noticed, and how it is come back from."""

from __future__ import annotations

import time

import pytest
from support.brokers import TIMEOUT_S, Mosquitto, Wire, settings_of
from support.loglines import Log
from support.subscriber import Subscriber, make_turn

from edge.mqtt.backoff import Backoff
from edge.mqtt.client import Publisher
from edge.mqtt.paho_client import keepalive_s
from edge.mqtt.settings import MqttSettings

KEEPALIVE_S = 5


@pytest.mark.parametrize(
    "longer_s",
    [
        6.0,
        pytest.param(240.0, marks=[pytest.mark.endurance, pytest.mark.timeout(600)]),
    ],
)
def test_partition_when_the_network_stalls_then_is_noticed_in_time_and_left_without_a_storm(
    mosquitto: Mosquitto, device: str, log: Log, longer_s: float
) -> None:
    longest_waits: list[float] = []

    def shortest(low: float, high: float) -> float:
        longest_waits.append(high)
        return low

    with Wire(mosquitto.port) as wire, Subscriber(mosquitto.port, f"affectd/{device}/#") as live:
        wire.open()
        settings = settings_of(mosquitto, device, port=wire.port, keepalive_s=KEEPALIVE_S)
        topics = settings.topics
        with Publisher(settings, backoff=Backoff(draw=shortest)) as publisher:
            live.wait_for(topics.availability, b"online")
            assert wire.accepted.acquire(timeout=TIMEOUT_S)
            before = wire.taken
            wire.stall()
            begun = time.monotonic()
            publisher.publish_turn(make_turn("t0"))
            log.wait_for("the connection timed out")
            assert time.monotonic() - begun <= 1.5 * KEEPALIVE_S
            assert wire.accepted.acquire(timeout=TIMEOUT_S)
            # Losing the connection is one failure, and waited for once.
            assert len(longest_waits) == 1
            # The other end of the wire; Mosquitto looks for dead clients only every few seconds.
            live.wait_for(topics.availability, b"offline")
            assert not publisher.connected
            publisher.publish_turn(make_turn("t1"))
            time.sleep(longer_s)
            stalled_s = time.monotonic() - begun
            attempts = wire.taken - before
            # Each attempt waits for an answer, and then at least a second until the next.
            assert 1 <= attempts <= stalled_s / (keepalive_s(settings) + 1.0) + 1
            healed_at = wire.taken
            wire.heal()
            ids = live.turn_ids(topics.turn, "t1")
            assert list(dict.fromkeys(ids)) == ["t0", "t1"]
            # The attempt that waited for an answer has it now; at worst its end had come, and one follows.
            assert wire.taken - healed_at <= 1
            assert publisher.connected
        assert sum("accepted but not answered" in line for line in log.lines) <= 1


@pytest.mark.parametrize("wanted_s", [5, 10, 30, 300, 65_535])
def test_keepalive_when_told_to_both_ends_then_each_notices_within_one_and_a_half(wanted_s: int) -> None:
    told_s = keepalive_s(MqttSettings(device="pi", keepalive_s=wanted_s))
    # paho: two intervals, and it looks once a second. A broker: one and a half, by the standard.
    assert 1 <= 2 * (told_s + 1) <= 1.5 * wanted_s
