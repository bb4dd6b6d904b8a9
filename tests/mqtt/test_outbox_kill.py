"""The publishing process killed at random moments: what the stated loss window says, and no more, is lost."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from support.brokers import Mosquitto, Wire
from support.publishing import start
from support.subscriber import Subscriber, make_turn

from edge.mqtt.client import Publisher
from edge.mqtt.durable_outbox import DurableOutbox
from edge.mqtt.outbox_settings import OutboxSettings
from edge.mqtt.settings import MqttSettings

COMMIT_S = 0.3
COMMIT_TAKES_S = 1.0
"""Seconds that one commit may take on a busy machine; it belongs to the loss window"""


def kill_after(child, run_s: float) -> tuple[dict[int, float], float]:
    """Let a process publish for a while and kill it; the turns that it queued, and when it was killed."""
    assert child.stdout is not None
    lines = [child.stdout.readline()]
    time.sleep(run_s)
    killed_at = time.monotonic()
    child.kill()
    lines += child.stdout.readlines()
    child.wait()
    queued = {}
    for line in lines:
        if line.endswith("\n"):
            number, at = line.split()
            queued[int(number)] = float(at)
    return queued, killed_at


def deliver_rest(port: int, device: str, path: Path, last: str) -> None:
    publisher = Publisher(
        MqttSettings(host="127.0.0.1", port=port, device=device), DurableOutbox(OutboxSettings(), path)
    )
    publisher.start()
    publisher.publish_turn(make_turn(last))
    assert publisher.wait_connected(20)
    publisher.stop(20)
    assert publisher.queued == 0


@pytest.mark.parametrize(
    ("kills", "fsync"),
    [
        (4, True),
        (4, False),
        pytest.param(50, True, marks=[pytest.mark.endurance, pytest.mark.timeout(1800)]),
        pytest.param(50, False, marks=[pytest.mark.endurance, pytest.mark.timeout(1800)]),
    ],
)
@pytest.mark.parametrize("reachable", [True, False], ids=["broker", "no-broker"])
def test_turns_when_the_process_is_killed_then_at_most_the_loss_window_is_lost(
    mosquitto: Mosquitto, device: str, tmp_path: Path, kills: int, fsync: bool, reachable: bool
) -> None:
    chance, path, topic = random.Random(6), tmp_path / "o.sqlite3", f"affectd/{device}/turn"
    queued: dict[int, float] = {}
    may_be_lost: set[int] = set()
    with Wire(mosquitto.port) as wire, Subscriber(mosquitto.port, topic) as live:
        if reachable:
            wire.open()
        for _ in range(kills):
            child = start(wire.port, device, path, len(queued), fsync, COMMIT_S)
            new, killed_at = kill_after(child, chance.uniform(0.0, 1.2))
            assert list(new) == list(range(len(queued), len(queued) + len(new)))
            queued |= new
            if not fsync:
                may_be_lost |= {n for n, at in new.items() if at > killed_at - COMMIT_S - COMMIT_TAKES_S}
        deliver_rest(mosquitto.port, device, path, "end")
        ids = live.turn_ids(topic, "end")[:-1]
    arrived = list(dict.fromkeys(map(int, ids)))
    assert set(queued) - set(arrived) <= may_be_lost
    # One that was never reported may have arrived: the process was killed before it could say so. Its number
    # was then given again, by the next process.
    assert set(arrived) <= set(range(len(queued) + 1))
    assert arrived == sorted(arrived)
