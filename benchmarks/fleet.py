"""Many devices on one real Mosquitto: how many turns per second it passes on, how late, and at what cost.

    python benchmarks/fleet.py [--devices 1000] [--rates 100 500 1000 2000 4000] [--seconds 10]

Every device has its own MQTT connection and publishes turns as affectd does: QoS 1, one in flight. One
subscriber receives all of them with QoS 1. For each rate, summed over all devices, the program prints a line
of JSON: turns per second wanted, offered and received, the delay from publishing to receiving (p50 and p99,
in ms), and CPU and memory of the broker alone. A rate that is not reached is where the broker saturates, or
this program, which shares the machine with it; `driver_cpu_percent` tells which. `missing` counts turns that
Mosquitto has dropped because the one subscriber was slow: by default it queues 1,000 messages for each
subscriber (max_queued_messages).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import selectors
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

sys.path.insert(0, str(Path(__file__).resolve().parent))

from outbox import make_payload, mosquitto  # beside this file

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
FILES = 8192


class Fleet:
    """Connections of many devices, served by one thread."""

    def __init__(self, port: int, devices: int) -> None:
        self._selector = selectors.DefaultSelector()
        self.clients = [self._connect(port, number) for number in range(devices)]
        self.idle = dict.fromkeys(range(devices))
        """Devices with nothing in flight, the longest idle first"""

    def _connect(self, port: int, number: int) -> Client:
        client = Client(CallbackAPIVersion.VERSION2, client_id=f"fleet-{number}")
        client.on_publish = lambda *_: self.idle.__setitem__(number, None)
        client.connect("127.0.0.1", port)
        while not client.is_connected():
            client.loop_read()
            client.loop_write()
        self._selector.register(client.socket(), selectors.EVENT_READ, client)  # type: ignore[arg-type]
        return client

    def publish(self, payload: bytes) -> bool:
        """Let the next idle device publish; False when none is."""
        if not self.idle:
            return False
        number = next(iter(self.idle))
        del self.idle[number]
        client = self.clients[number]
        client.publish(f"affectd/fleet-{number}/turn", payload, qos=1)
        client.loop_write()
        return True

    def serve(self, timeout_s: float) -> None:
        """Read what the broker has answered."""
        for key, _ in self._selector.select(timeout_s):
            key.data.loop_read()

    def keep_alive(self) -> None:
        """Send MQTT pings that are due; call it now and then, as the devices are silent between the rates."""
        for client in self.clients:
            client.loop_misc()


class Dashboard:
    """Receives every turn and notes how late it was."""

    def __init__(self, port: int) -> None:
        self.delays_ms: list[float] = []
        self.last_at = 0.0
        subscribed = threading.Event()
        client = Client(CallbackAPIVersion.VERSION2)
        client.max_inflight_messages_set(0)
        client.on_subscribe = lambda *_: subscribed.set()
        client.on_message = self._on_message
        client.connect("127.0.0.1", port)
        client.loop_start()
        client.subscribe("affectd/+/turn", qos=1)
        subscribed.wait(10)

    def _on_message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        self.last_at = time.monotonic()
        self.delays_ms.append(1000.0 * (self.last_at - float(message.payload[:20])))


def cpu_s(pid: int) -> float:
    """CPU time in seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def rss_bytes(pid: int) -> int:
    """Resident memory of a process."""
    pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def measure(fleet: Fleet, dashboard: Dashboard, pid: int, rate: float, seconds: float) -> dict[str, Any]:
    """Publish at a rate for some seconds, and return the figures."""
    dashboard.delays_ms.clear()
    body = make_payload()[20:]
    broker_cpu, driver_cpu, begun = cpu_s(pid), time.process_time(), time.monotonic()
    published, late = 0, 0
    while (elapsed := time.monotonic() - begun) < seconds:
        while published + late < elapsed * rate:
            if fleet.publish(f"{time.monotonic():<20.9f}".encode() + body):
                published += 1
            else:
                late += 1
        fleet.serve(0.001)
    # Wait for the turns that are still on their way.
    deadline = time.monotonic() + 10.0
    while len(dashboard.delays_ms) < published and time.monotonic() < deadline:
        fleet.serve(0.01)
    took = dashboard.last_at - begun
    fleet.keep_alive()
    p50, p99 = np.percentile(dashboard.delays_ms, (50, 99))
    return {
        "devices": len(fleet.clients),
        "wanted_per_s": rate,
        "offered_per_s": round(published / seconds, 1),
        "received_per_s": round(len(dashboard.delays_ms) / took, 1),
        "missing": published - len(dashboard.delays_ms),
        "delay_p50_ms": round(float(p50), 2),
        "delay_p99_ms": round(float(p99), 2),
        "broker_cpu_percent": round(100.0 * (cpu_s(pid) - broker_cpu) / took, 1),
        "broker_rss_bytes": rss_bytes(pid),
        "driver_cpu_percent": round(100.0 * (time.process_time() - driver_cpu) / took, 1),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--devices", type=int, default=1000)
    parser.add_argument("--rates", type=float, nargs="+", default=[100, 500, 1000, 2000, 4000])
    parser.add_argument("--seconds", type=float, default=10.0, help="for each rate")
    options = parser.parse_args()
    # Each connection takes a file descriptor here and one in the broker, which inherits the limit.
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))
    with tempfile.TemporaryDirectory() as folder, mosquitto(Path(folder)) as (port, pid):
        fleet, dashboard = Fleet(port, options.devices), Dashboard(port)
        for rate in options.rates:
            print(json.dumps(measure(fleet, dashboard, pid, rate, options.seconds)), flush=True)


if __name__ == "__main__":
    main()
