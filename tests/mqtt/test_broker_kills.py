"""A steady stream of turns while the broker is killed, its port closed and the connection reset."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path

import pytest
from support.brokers import TIMEOUT_S, Mosquitto, Wire
from support.subscriber import Subscriber, make_turn

from edge.mqtt.backoff import Backoff
from edge.mqtt.client import Publisher
from edge.mqtt.durable_outbox import DurableOutbox
from edge.mqtt.outbox_settings import OutboxSettings
from edge.mqtt.settings import MqttSettings

PAUSE_S = 0.01
"""Seconds between two turns"""

LONGEST_WAIT_S = 2.0
"""Between two attempts to connect"""


class Stream(threading.Thread):
    """Publishes numbered turns until told to stop."""

    def __init__(self, publisher: Publisher) -> None:
        super().__init__(daemon=True)
        self._publisher = publisher
        self._stop_asked = threading.Event()
        self.count = 0

    def run(self) -> None:
        while not self._stop_asked.wait(PAUSE_S):
            self._publisher.publish_turn(make_turn(f"{self.count:06}"))
            self.count += 1

    def end(self) -> int:
        """Stop, and give the number of turns."""
        self._stop_asked.set()
        self.join()
        return self.count


def strike(kind: str, broker: Mosquitto, wire: Wire, live: Subscriber, away_s: float) -> None:
    """Do one kind of harm, and undo it after a while."""
    if kind == "reset":
        wire.cut()
        return
    if kind == "killed":
        live.forget_subscription()
        broker.kill()
    wire.close()
    time.sleep(away_s)
    if kind == "killed":
        broker.start()
        # A broker without a subscriber would take turns that nobody sees.
        live.wait_subscribed()
    wire.open()


@pytest.mark.parametrize(
    ("strikes", "longest_s"),
    [
        (6, 0.3),
        pytest.param(100, 10.0, marks=[pytest.mark.endurance, pytest.mark.timeout(3600)]),
    ],
)
def test_turns_when_the_broker_is_struck_again_and_again_then_all_arrive_in_order(
    tmp_path: Path, device: str, strikes: int, longest_s: float
) -> None:
    chance, kinds = random.Random(6), ("killed", "closed", "reset")
    broker = Mosquitto(tmp_path)
    broker.start()
    # With QoS 0 nothing that the broker has yet to read is lost with it, so its last words arrive.
    with Wire(broker.port) as wire, Subscriber(broker.port, f"affectd/{device}/turn", qos=0) as live:
        wire.open()
        settings = MqttSettings(host="127.0.0.1", port=wire.port, device=device)
        outbox = DurableOutbox(OutboxSettings(), tmp_path / "outbox.sqlite3")
        # A connection that is struck at once would be waited for longer and longer, up to a minute.
        publisher = Publisher(settings, outbox, Backoff(LONGEST_WAIT_S))
        publisher.start()
        stream = Stream(publisher)
        stream.start()
        for number in range(strikes):
            assert publisher.wait_connected(2 * TIMEOUT_S + longest_s)
            time.sleep(chance.uniform(0.0, 0.3))
            strike(kinds[number % 3], broker, wire, live, chance.uniform(0.1, longest_s))
        count = stream.end()
        ids = live.turn_ids(settings.topics.turn, f"{count - 1:06}")
        publisher.stop(TIMEOUT_S)
    broker.stop()
    assert list(dict.fromkeys(ids)) == [f"{number:06}" for number in range(count)]
