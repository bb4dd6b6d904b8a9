"""Real brokers to test against, and a wire between client and broker that can be held and cut."""

from __future__ import annotations

import getpass
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import pytest

from edge.mqtt.broker import EmbeddedBroker
from edge.mqtt.settings import BrokerSettings, MqttSettings
from edge.mqtt.settings import Protocol as Version

TIMEOUT_S = 20.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


class Broker(Protocol):
    port: int
    version: Version
    """Of MQTT, that it is spoken to in"""

    def start(self) -> None: ...
    def stop(self) -> None: ...


class Mosquitto:
    """A Mosquitto process with a configuration of its own."""

    version = Version.AUTO

    def __init__(self, folder: Path, extra: str = "allow_anonymous true", listener: str = "") -> None:
        self.port = free_port()
        self._program = program("mosquitto")
        self._config = folder / f"mosquitto-{self.port}.conf"
        # Started by root it would change to a user that cannot read the test's files.
        self._config.write_text(
            f"user {getpass.getuser()}\npersistence false\n{extra}\n"
            f"listener {self.port} 127.0.0.1\n{listener}\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [self._program, "-c", str(self._config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + TIMEOUT_S
        # It opens one after the other: the first says nothing of the last.
        for port in re.findall(r"^listener (\d+)", self._config.read_text(), re.MULTILINE):
            while not self._listens(int(port)):
                assert self._process.poll() is None, f"mosquitto ended: {self._config.read_text()}"
                assert time.monotonic() < deadline, f"mosquitto does not listen on {port}"
                time.sleep(0.02)

    @staticmethod
    def _listens(port: int) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return True
        except OSError:
            return False

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(TIMEOUT_S)

    def reload(self) -> None:
        """Read passwords and access list again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    def kill(self) -> None:
        """As if its machine had lost power."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(TIMEOUT_S)


class Amqtt:
    """The embedded broker, in the same shape."""

    version = Version.V3_1_1

    def __init__(self) -> None:
        pytest.importorskip("amqtt", reason="amqtt is not installed: pip install 'affectd[broker]'")
        self.port = free_port()
        self._broker = EmbeddedBroker(BrokerSettings(port=self.port))

    def start(self) -> None:
        self._broker.start()

    def stop(self) -> None:
        self._broker.stop()


def settings_of(broker: Broker, device: str, **changes: Any) -> MqttSettings:
    """How a device speaks to a broker; through a wire with another `port`."""
    return MqttSettings(
        **{"host": "127.0.0.1", "port": broker.port, "device": device, "protocol": broker.version, **changes}
    )


def make_broker(kind: str, folder: Path) -> Broker:
    return Mosquitto(folder) if kind == "mosquitto" else Amqtt()


class Wire:
    """A TCP relay to the broker. Closed until opened; it can stall, hold answers back and cut connections."""

    def __init__(self, target_port: int) -> None:
        # Bound from now on, as another process may take a port that is only known to be free.
        self._listener = _bound(0)
        self.port: int = self._listener.getsockname()[1]
        self.accepted = threading.Semaphore(0)
        """Released at every connection that is taken"""
        self.taken = 0
        """Connections taken so far"""
        self._target_port = target_port
        self._answers = threading.Event()
        self._answers.set()
        self._passing = threading.Event()
        self._passing.set()
        self._connections: list[socket.socket] = []

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        self._listener.close()

    def open(self) -> None:
        self._listener.listen()
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def close(self) -> None:
        """Refuse connections from now on, and cut those that stand."""
        # Closing alone does not wake a thread inside accept().
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._listener = _bound(self.port)
        self.cut()

    def cut(self) -> None:
        while self._connections:
            with suppress(OSError):
                self._connections.pop().shutdown(socket.SHUT_RDWR)
        self._answers.set()
        self._passing.set()

    def stall(self) -> None:
        """As a network that is parted: connections stand and new ones are taken, and nothing passes."""
        self._passing.clear()

    def heal(self) -> None:
        """Pass everything on again, what was sent meanwhile included."""
        self._passing.set()

    def hold_answers(self) -> None:
        self._answers.clear()

    def release_answers(self) -> None:
        self._answers.set()

    def _takes(self, client: socket.socket) -> bool:
        """Whether a new connection is relayed; else it has been ended."""
        return True

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                if not self._takes(client):
                    continue
                server = socket.create_connection(("127.0.0.1", self._target_port))
                self._connections += [client, server]
                for ends, gates in (
                    ((client, server), [self._passing]),
                    ((server, client), [self._passing, self._answers]),
                ):
                    threading.Thread(target=self._relay, args=(*ends, gates), daemon=True).start()
                self.taken += 1
                self.accepted.release()

    @staticmethod
    def _relay(source: socket.socket, sink: socket.socket, gates: list[threading.Event]) -> None:
        with suppress(OSError):
            while data := source.recv(4096):
                waits = not all(gate.is_set() for gate in gates)
                for gate in gates:
                    gate.wait()
                if waits and _has_ended(source):
                    break  # through a parted network, what a dead end had sent would never have come
                sink.sendall(data)
        for gate in gates:
            gate.wait()  # nor does the end itself pass through a parted network
        with suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)


def _bound(port: int) -> socket.socket:
    """A socket that holds a port, 0 for any that is free, and refuses connections until it listens."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", port))
    return holder


def _has_ended(end: socket.socket) -> bool:
    try:
        return end.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
