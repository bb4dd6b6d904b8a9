"""A process that publishes numbered turns through an outbox on disk, to be killed.

It prints the number of a turn and the time (`time.monotonic`, in seconds) as soon as the turn is queued.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys, time
from pathlib import Path
from edge.mqtt.client import Publisher
from edge.mqtt.durable_outbox import DurableOutbox
from edge.mqtt.outbox_settings import OutboxSettings
from edge.mqtt.settings import MqttSettings
from support.subscriber import make_turn

port, device, path, first, fsync, commit_s, pause_s = sys.argv[1:]
outbox = DurableOutbox(OutboxSettings(fsync=fsync == "True", commit_s=float(commit_s)), Path(path))
publisher = Publisher(MqttSettings(host="127.0.0.1", port=int(port), device=device), outbox)
publisher.start()
number = int(first)
while True:
    publisher.publish_turn(make_turn(f"{number:06}"))
    print(number, time.monotonic(), flush=True)
    number += 1
    time.sleep(float(pause_s))
"""


def start(
    port: int, device: str, path: Path, first: int, fsync: bool, commit_s: float, pause_s: float = 0.005
) -> subprocess.Popen[str]:
    arguments = (port, device, path, first, fsync, commit_s, pause_s)
    tests = str(Path(__file__).parents[1])
    program = f"import sys; sys.path.insert(0, {tests!r})\n{PROGRAM}"
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)], stdout=subprocess.PIPE, text=True
    )
