"""The lines of docs/mqtt/README.md, run as they stand there against a real Mosquitto and a device."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from support.brokers import TIMEOUT_S, Mosquitto, program, settings_of
from support.subscriber import Subscriber, make_state, make_turn

from edge.mqtt.client import Publisher
from edge.mqtt.commands import CommandDesk

README = Path(__file__).resolve().parents[2] / "docs" / "mqtt" / "README.md"
LINES = re.findall(r"^    (mosquitto_(?:sub|rr) [^#\n]+)", README.read_text(encoding="utf-8"), re.MULTILINE)


def ended(process: subprocess.Popen[str]) -> bool:
    with suppress(subprocess.TimeoutExpired):
        process.wait(0.1)
    return process.poll() is not None


@pytest.mark.parametrize("line", LINES)
def test_one_liner_when_run_as_documented_then_says_what_the_device_said(line: str, tmp_path: Path) -> None:
    for name in {"mosquitto_sub", "jq" if "jq" in line else "mosquitto_rr"}:
        program(name)
    broker = Mosquitto(tmp_path)
    broker.start()
    # The clients of Mosquitto take the options that every line needs from files: where the broker is, and to
    # end after the first message.
    for name in ("mosquitto_sub", "mosquitto_rr"):
        ends = "-C 1\n" if name == "mosquitto_sub" else ""
        (tmp_path / name).write_text(f"-h 127.0.0.1\n-p {broker.port}\n-W {TIMEOUT_S:g}\n{ends}")
    settings = settings_of(broker, "kitchen")
    publisher = Publisher(settings)
    desk = CommandDesk(settings.topics, lambda name, _: {"done": name}, publisher.answer)
    publisher.listen(desk.patterns, desk.receive)
    with Subscriber(broker.port, "affectd/#") as live, publisher:
        live.wait_for(settings.topics.availability, b"online")
        with subprocess.Popen(
            [shutil.which("sh") or "sh", "-c", line],
            env={**os.environ, "XDG_CONFIG_HOME": str(tmp_path)},
            stdout=subprocess.PIPE,
            text=True,
        ) as shell:
            number = 0
            while not ended(shell):
                publisher.publish_state(make_state())
                publisher.publish_turn(make_turn(f"{number}"))
                live.turn_ids(settings.topics.turn, f"{number}")
                number += 1
            assert shell.stdout is not None
            said = shell.stdout.read().strip()
    broker.stop()
    assert shell.returncode == 0
    if "@csv" in line:
        assert said == '"2026-01-02T03:04:07.178Z","sad",0.75'
    elif "%t" in line:
        assert said.endswith("affectd/kitchen/availability online")
    else:
        found = json.loads(said.partition(" ")[2] if "-v" in line.split() else said)
        assert found.get("emotion") in ("sad", "happy") or found["result"] == {"done": "mute"}
