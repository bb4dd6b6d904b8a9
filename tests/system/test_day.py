"""Hours of audio through the daemon, as fast as it goes: nothing grows, and no turn is lost."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
import soundfile
from support.programs import Program
from support.sound import DEMO_SPEECH, RATE
from support.subscriber import Subscriber

from edge.audio.files import read_file
from edge.mqtt.messages import Turn

FLAT_BYTES = 2 << 20
PAGE = 4096


def rss(pid: int) -> int:
    return PAGE * int(Path(f"/proc/{pid}/statm").read_text().split()[1])


def threads(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


@pytest.mark.parametrize(
    "hours",
    [
        pytest.param(0.1, marks=pytest.mark.slow),
        pytest.param(24.0, marks=[pytest.mark.endurance, pytest.mark.timeout(14_400)]),
    ],
)
def test_run_when_it_hears_for_hours_then_memory_is_flat_and_every_turn_arrives(
    hours: float, tmp_path: Path, mosquitto, device: str, to_broker
) -> None:
    file = tmp_path / "day.flac"
    piece = np.concatenate([read_file(DEMO_SPEECH), np.zeros(2 * RATE, np.float32)])
    repeats = round(hours * 3600 * RATE / len(piece))
    with soundfile.SoundFile(file, "w", RATE, 1, format="FLAC") as sound:
        for _ in range(repeats):
            sound.write(piece)
    topic = f"affectd/{device}/turn"
    sizes, counts, ids = [], [], []
    with Subscriber(mosquitto.port, topic) as live, Program("run", *to_broker, "--file", file) as daemon:
        pid = daemon.process.pid
        # Each piece has eight utterances; the last of all is waited for by the daemon's own end.
        for _ in range(7 * repeats):
            ids.append(msgspec.json.decode(live.wait_for(topic).payload, type=Turn).id)
            if len(ids) % 10 == 0 and daemon.process.poll() is None:
                sizes.append(rss(pid))
                counts.append(threads(pid))
        # An eighth of the sound is left, at a minute or less for each hour of it.
        assert daemon.wait(60.0 * max(1.0, hours)) == 0
        said = sum(" turn: " in line for line in daemon.lines)
        ids += [
            msgspec.json.decode(live.wait_for(topic).payload, type=Turn).id for _ in range(said - len(ids))
        ]

    assert len(set(ids)) == len(ids) == said
    assert said >= 7 * repeats
    settled = sizes[max(1, len(sizes) // 2 if hours < 2 else round(len(sizes) / hours)) :]
    assert max(settled) - min(settled) <= FLAT_BYTES, settled
    assert len(set(counts[1:])) == 1, counts
