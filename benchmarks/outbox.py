"""How fast the durable outbox starts with many turns in it, and how fast it drains to a local Mosquitto.

    python benchmarks/outbox.py [--turns 100000]

Prints JSON: the seconds to write, to start and to drain, the turns per second, and the size of the file.
"""

from __future__ import annotations

import argparse
import getpass
import json
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from edge.mqtt.client import Publisher  # noqa: E402  # run from a checkout
from edge.mqtt.durable_outbox import DurableOutbox  # noqa: E402
from edge.mqtt.messages import Turn, encode, new_id, now  # noqa: E402
from edge.mqtt.outbox_settings import OutboxSettings  # noqa: E402
from edge.mqtt.settings import MqttSettings  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

LABELS = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")


def make_payload() -> bytes:
    """A turn as the shipped model makes it."""
    return encode(
        Turn(
            id=new_id(),
            started=now(),
            ended=now(),
            duration=2.34,
            emotion="happy",
            confidence=0.7123,
            probabilities=dict.fromkeys(LABELS, 0.1234),
            arousal=0.3456,
            valence=0.4567,
            snr_db=23.4567,
            model="affectd",
            model_sha256="0" * 64,
        )
    )


@contextmanager
def mosquitto(folder: Path) -> Iterator[tuple[int, int]]:
    """Run a separate Mosquitto; yields its port and its process ID."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    config = folder / "mosquitto.conf"
    config.write_text(
        f"user {getpass.getuser()}\nallow_anonymous true\npersistence false\nlistener {port} 127.0.0.1\n"
    )
    process = subprocess.Popen(["mosquitto", "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.02)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--turns", type=int, default=100_000)
    turns = parser.parse_args().turns
    settings = OutboxSettings(max_bytes=2**31)
    with tempfile.TemporaryDirectory() as folder, mosquitto(Path(folder)) as (port, _):
        path = Path(folder) / "outbox.sqlite3"
        filled = DurableOutbox(settings, path)
        begun = time.perf_counter()
        for _ in range(turns):
            filled.put(make_payload())
        filled.close()
        written = time.perf_counter()
        file_bytes = path.stat().st_size
        outbox = DurableOutbox(settings, path)
        if outbox.head() is None or len(outbox) != turns:
            sys.exit("the outbox has lost turns")
        started = time.perf_counter()
        publisher = Publisher(MqttSettings(host="127.0.0.1", port=port, device="benchmark"), outbox)
        publisher.start()
        publisher.wait_connected(10)
        draining = time.perf_counter()
        cpu = time.process_time()
        while publisher.queued:
            time.sleep(0.02)
        drained = time.perf_counter()
        cpu = time.process_time() - cpu
        publisher.stop()
        shrunk_bytes = path.stat().st_size
    print(
        json.dumps(
            {
                "turns": turns,
                "file_bytes": file_bytes,
                "file_bytes_when_drained": shrunk_bytes,
                "put_and_write_s": round(written - begun, 3),
                "start_to_first_turn_s": round(started - written, 4),
                "drain_s": round(drained - draining, 2),
                "drain_turns_per_s": round(turns / (drained - draining)),
                "drain_cpu_s": round(cpu, 2),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
