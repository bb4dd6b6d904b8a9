"""The whole daemon killed at random moments: what the stated loss window says, and no more, is lost."""

from __future__ import annotations

import random
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from support.brokers import Wire
from support.programs import Program
from support.sound import silence
from support.subscriber import Subscriber

from edge.mqtt.messages import Turn

COMMIT_S = 0.3
COMMIT_TAKES_S = 1.0
"""Seconds that one commit may take on a busy machine; it belongs to the loss window"""

DATED_S = 0.2
"""Sound that comes faster than it lasts is dated to within a few blocks; the log tells the order exactly"""


@dataclass(frozen=True)
class Told:
    """A turn in the daemon's log."""

    at: float
    emotion: str
    confidence: float

    @classmethod
    def read(cls, line: str) -> Told:
        # 2026-11-21 10:44:00,123 INFO     turn: happy, confidence 0.71, SNR 31 dB
        at = datetime.strptime(line[:23], "%Y-%m-%d %H:%M:%S,%f").timestamp()
        emotion, confidence, _ = line.partition("turn: ")[2].split(", ")
        return cls(at, emotion, float(confidence.removeprefix("confidence ")))


def run_and_kill(config: Path, port: int, speech: bytes, run_s: float) -> tuple[list[Told], float]:
    """Let the daemon hear speech for a while and kill it; the turns in its log, and when that was."""
    with Program("run", "--config", config, "--port", port, "--source", "stdin") as daemon:

        def speak() -> None:
            with suppress(OSError, ValueError):
                while True:
                    daemon.say(speech)

        threading.Thread(target=speak, daemon=True).start()
        time.sleep(run_s)
        killed_at = time.time()
        daemon.process.kill()
        daemon.process.wait()
        daemon.wait_for_end_of_output()
    return [Told.read(line) for line in daemon.lines if " turn: " in line], killed_at


def ended_at(turn: Turn) -> float:
    return datetime.fromisoformat(turn.ended).timestamp()


def agree(turn: Turn, told: Told) -> bool:
    return turn.emotion == told.emotion and abs(turn.confidence - told.confidence) < 0.006


@pytest.mark.parametrize(
    ("kills", "earliest_s"),
    [
        # In most of what a random kill meets, the daemon is still starting; few kills are to meet more.
        pytest.param(2, 3.0, marks=pytest.mark.slow),
        pytest.param(50, 0.5, marks=[pytest.mark.endurance, pytest.mark.timeout(1800)]),
    ],
)
@pytest.mark.parametrize("fsync", [True, False])
def test_turns_when_the_daemon_is_killed_again_and_again_then_at_most_the_loss_window_is_lost(
    mosquitto, device: str, tmp_path: Path, speech: bytes, fsync: bool, kills: int, earliest_s: float
) -> None:
    chance = random.Random(7)
    config = tmp_path / "affectd.toml"
    config.write_text(
        f'[mqtt]\nhost = "127.0.0.1"\ndevice = "{device}"\n'
        f'[outbox]\npath = "{tmp_path}/outbox.sqlite3"\ncommit_s = {COMMIT_S}\nfsync = {str(fsync).lower()}\n'
    )
    runs: list[tuple[list[Told], float]] = []
    with Wire(mosquitto.port) as wire, Subscriber(mosquitto.port, f"affectd/{device}/#") as live:
        for number in range(kills):
            reachable = number % 2 == 0
            if reachable:
                wire.open()
            runs.append(run_and_kill(config, wire.port, speech, chance.uniform(earliest_s, 5.0)))
            if reachable:
                wire.close()
        wire.open()
        with Program("run", "--config", config, "--port", wire.port, "--source", "stdin") as last:
            last.say(silence(1.0))
            last.end_input()
            assert last.wait() == 0, last.lines
        live.say(f"affectd/{device}/end", "end")
        messages = live.collect_until(f"affectd/{device}/end")
    topic = f"affectd/{device}/turn"
    came = [msgspec.json.decode(message.payload, type=Turn) for message in messages if message.topic == topic]
    turns = list({turn.id: turn for turn in came}.values())
    assert all(later > earlier - DATED_S for earlier, later in pairwise(map(ended_at, turns)))
    assert sum(len(told) for told, _ in runs) > kills / 2, "nothing was said"
    begun = 0.0
    for told, killed_at in runs:
        arrived = [
            turn for turn in turns if begun < datetime.fromisoformat(turn.ended).timestamp() <= killed_at
        ]
        begun = killed_at
        assert len(arrived) <= len(told)
        assert all(agree(*pair) for pair in zip(arrived, told, strict=False))
        missing = told[len(arrived) :]
        if fsync:
            # The log tells of a turn before the outbox has it: of the last one, at most.
            assert len(missing) <= 1
        assert all(turn.at > killed_at - COMMIT_S - COMMIT_TAKES_S for turn in missing)
