"""`affectd demo`: the whole path on this machine, from bundled speech to what a subscriber receives."""

from __future__ import annotations

import os
import queue
import signal
import socket
import subprocess
import sys
import uuid
from contextlib import ExitStack, suppress
from datetime import datetime
from pathlib import Path

import msgspec
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from edge.mqtt.broker import EmbeddedBroker
from edge.mqtt.messages import Health, State, Turn
from edge.mqtt.settings import BrokerSettings

SPEECH = Path(__file__).parent / "demo_speech.ogg"
_DEVICE = "demo"
_BAR = 10
_LOOK_S = 0.2

_INTRODUCTION = """\
affectd demo: plays synthetic speech (espeak-ng) in real time through the same path as a microphone's sound:
gate, turns, MFCC, int8 model, MQTT. It shows how affectd works, not how accurate it is: no person speaks.

broker      {host}:{port}, embedded; listen along with
            mosquitto_sub -h {host} -p {port} -t 'affectd/#' -v
below       what a separate MQTT subscriber receives
"""

_FAREWELL = """\
{turns} turns received. With your own microphone and broker:
            {programs}/pip install '.[mic]'
            {programs}/affectd devices
            {programs}/affectd run --host BROKER --device NAME
without PyAudio, through arecord:
            {programs}/affectd run --host BROKER --command 'arecord -q -f S16_LE -r 16000 -c 1 -t raw'"""


Arrivals = queue.SimpleQueue[MQTTMessage | None]
"""Messages; None when the user stops the demo"""


def run_demo(speech: Path = SPEECH) -> int:
    """Play the demo and print every message; returns the exit code.

    Raises:
        MqttError: when the embedded broker does not start.
    """
    # SIGTERM raises KeyboardInterrupt, as Ctrl-C does, so that neither leaves the daemon behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    broker = BrokerSettings(port=free_port(1883))
    arrivals: Arrivals = queue.SimpleQueue()
    with ExitStack() as held:
        held.enter_context(EmbeddedBroker(broker))
        print(_INTRODUCTION.format(host=broker.bind, port=broker.port), flush=True)
        held.enter_context(_Subscriber(broker, arrivals))
        daemon = held.enter_context(_Daemon(broker, speech))
        turns = _show_all(arrivals, daemon.process)
    print("\n" + _FAREWELL.format(turns=turns, programs=os.path.relpath(Path(sys.executable).parent)))
    return 0 if turns else 69


def _show_all(arrivals: Arrivals, process: subprocess.Popen[bytes]) -> int:
    """Print what arrives until the daemon ends or the user stops it; returns the number of turns."""
    for number in (signal.SIGINT, signal.SIGTERM):
        # Shells make their background jobs ignore SIGINT, and then Python raises no KeyboardInterrupt.
        signal.signal(number, lambda *_: arrivals.put(None))
    turns, last_state = 0, ""
    while True:
        ended = process.poll() is not None
        try:
            message = arrivals.get(timeout=_LOOK_S)
        except queue.Empty:
            # Only silence after the daemon's end proves that nothing more will arrive.
            if ended:
                return turns
            continue
        if message is None:
            return turns
        turns += message.topic.endswith("/turn")
        text = render(message.topic, bytes(message.payload))
        if message.topic.endswith("/state"):
            # First guesses arrive twice a second, and most repeat the one before.
            if text == last_state:
                continue
            last_state = text
        print(f"{datetime.now().astimezone():%H:%M:%S}  {text}", flush=True)


def render(topic: str, payload: bytes) -> str:
    """One message as a line of text; for a turn, with a bar and probabilities."""
    kind = topic.rpartition("/")[2]
    if kind == "turn":
        turn = msgspec.json.decode(payload, type=Turn)
        return f"turn   {turn.emotion:<9} {turn.confidence:4.0%}  {_bar(turn)}"
    if kind == "state":
        state = msgspec.json.decode(payload, type=State)
        if state.provisional:
            return f"state  speaking, so far {state.emotion}"
        return "state  speaking …" if state.speaking else f"state  quiet; emotion {state.emotion}"
    if kind == "health":
        health = msgspec.json.decode(payload, type=Health)
        return f"health {health.rss_bytes / 1e6:.0f} MB, {health.cpu_percent:.0f} % of a core"
    return f"{kind}  {payload.decode(errors='replace')}"


def _bar(turn: Turn) -> str:
    """The confidence as a bar, and the three likeliest labels in percent; a line fits 80 columns."""
    likeliest = sorted(turn.probabilities.items(), key=lambda item: -item[1])[:3]
    filled = round(turn.confidence * _BAR)
    shares = ", ".join(f"{label} {100 * share:.0f}" for label, share in likeliest)
    return f"{'█' * filled}{'·' * (_BAR - filled)} {shares}"


class _Subscriber:
    """An ordinary MQTT client."""

    def __init__(self, broker: BrokerSettings, arrivals: Arrivals) -> None:
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=f"demo-{uuid.uuid4().hex[:8]}")
        self._client.on_connect = lambda client, *_: client.subscribe(f"affectd/{_DEVICE}/#", qos=1)
        self._client.on_message = lambda _client, _userdata, message: arrivals.put(message)
        self._client.connect(broker.bind, broker.port)

    def __enter__(self) -> _Subscriber:
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()


class _Daemon:
    """`affectd run` as a separate process that plays the speech in real time."""

    def __init__(self, broker: BrokerSettings, speech: Path) -> None:
        self._command = [
            *(sys.executable, "-m", "edge.cli", "run", "--no-config", "--log-level", "warning"),
            *(
                "--host",
                broker.bind,
                "--port",
                str(broker.port),
                "--protocol",
                "3.1.1",
                "--device-id",
                _DEVICE,
            ),
            *("--file", str(speech), "--realtime", "--outbox", "memory"),
        ]

    def __enter__(self) -> _Daemon:
        # A new session shields it from the terminal's Ctrl-C: we stop it, and it has time to say `offline`.
        self.process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, start_new_session=True)
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(3.0)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def free_port(wanted: int) -> int:
    """The wanted TCP port if nothing listens on it, else one that the system picks."""
    for port in (wanted, 0):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    return wanted
