"""The embedded broker (amqtt), alongside the daemon or on its own.

Alongside the daemon it runs as a child process, which ends with its parent: that keeps amqtt's memory, event
loop and faults away from the recognition.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import selectors
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

import msgspec

from edge.extras import how_to_add
from edge.mqtt.errors import (
    BrokerError,
    BrokerNotInstalledError,
    MqttError,
    MqttSettingsError,
    PortInUseError,
)
from edge.mqtt.settings import BrokerSettings, join_address

if TYPE_CHECKING:
    from amqtt.broker import Broker

_LOG = logging.getLogger(__name__)

_START_S = 60.0
"""Seconds that a small board may take to import amqtt"""
_LINGER_S = 0.2
"""Seconds for amqtt to pass on what it has received, such as `offline`: its shutdown would discard it"""
_SHUTDOWN_S = 0.5
"""Seconds that amqtt may take to shut down; while a client is connected, it never finishes"""
_STOP_S = 1.0
"""Seconds until a child that has not shut down is killed; in total, the daemon ends within two"""


class _Report(msgspec.Struct, frozen=True):
    """What the child writes to its standard output, once, when it listens or has failed."""

    error: str | None = None
    """Class name of the exception; None if all is well"""

    message: str = ""


class EmbeddedBroker:
    """Runs the broker as a child process: `with EmbeddedBroker(settings): ...`.

    The child holds the other end of a pipe and ends when the pipe closes, so that not even a killed parent
    leaves it behind.
    """

    def __init__(self, settings: BrokerSettings) -> None:
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def alive(self) -> bool:
        """Whether the broker process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """Process id of the broker; None before it is started."""
        return None if self._process is None else self._process.pid

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the broker and wait until it listens.

        Raises:
            BrokerNotInstalledError: when amqtt is missing.
            PortInUseError: when another program listens there.
            BrokerError: when it does not start for another reason.
            MqttSettingsError: when the password file cannot be used.
        """
        command = [sys.executable, "-m", "edge.mqtt.broker", msgspec.json.encode(self._settings).decode()]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            self._await_report(self._process)
        except BaseException:
            self.stop()
            raise
        _LOG.info("embedded MQTT broker listens on %s", self._settings.address)

    def _await_report(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None  # noqa: S101  # Popen was asked for a pipe
        line = _read_line(process.stdout.fileno(), _START_S)
        if not line:
            raise BrokerError(
                f"the embedded broker on {self._settings.address} did not report that it listens; see the log"
            )
        report = msgspec.json.decode(line, type=_Report)
        if report.error is not None:
            raise _ERRORS.get(report.error, BrokerError)(report.message)

    def stop(self) -> None:
        """Stop the broker, and kill it if it does not end by itself."""
        process = self._process
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            _LOG.warning("the embedded broker does not end by itself; killing it")
            process.kill()
            process.wait()


_ERRORS: dict[str, type[MqttError]] = {
    kind.__name__: kind for kind in (BrokerError, BrokerNotInstalledError, MqttSettingsError, PortInUseError)
}


def _read_line(fd: int, timeout_s: float) -> bytes:
    """One line from a pipe, with its line break; empty if the pipe closes or the time is up before."""
    deadline = time.monotonic() + timeout_s
    line = b""
    with selectors.DefaultSelector() as selector:
        selector.register(fd, selectors.EVENT_READ)
        while not line.endswith(b"\n") and selector.select(max(0.0, deadline - time.monotonic())):
            part = os.read(fd, 4096)
            if not part:
                return b""
            line += part
    return line if line.endswith(b"\n") else b""


def _amqtt_config(settings: BrokerSettings) -> dict[str, Any]:
    listeners = {"default": {"type": "tcp", "bind": settings.address}}
    if settings.websocket_port is not None:
        listeners["websocket"] = {"type": "ws", "bind": join_address(settings.bind, settings.websocket_port)}
    plugins: dict[str, dict[str, Any]]
    if settings.password_file is None:
        plugins = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
    else:
        plugins = {"amqtt.plugins.authentication.FileAuthPlugin": {"password_file": settings.password_file}}
    return {"listeners": listeners, "plugins": plugins}


async def _start(settings: BrokerSettings) -> Broker:
    try:
        from amqtt.broker import Broker  # noqa: PLC0415  # an optional extra, and slow to import
    except ImportError as error:
        raise BrokerNotInstalledError(
            f"the embedded broker needs amqtt ({error}); {how_to_add('broker')}, or use Mosquitto"
        ) from None
    if settings.password_file is not None and not os.access(settings.password_file, os.R_OK):
        raise MqttSettingsError(
            f"password_file {settings.password_file} cannot be read; check its path and permissions"
        )
    try:
        broker = Broker(_amqtt_config(settings))
        await broker.start()
    except Exception as error:  # amqtt wraps the cause in its own exceptions, which vary by version
        raise _explain(error, settings) from error
    return broker


def _explain(error: Exception, settings: BrokerSettings) -> MqttError:
    cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
    if isinstance(cause, OSError) and cause.errno == errno.EADDRINUSE:
        also = "" if settings.websocket_port is None else f" or on port {settings.websocket_port}"
        return PortInUseError(
            f"another program, perhaps Mosquitto, already listens on {settings.address}{also}; "
            "use that broker (embedded = false), or choose another port"
        )
    return BrokerError(
        f"the embedded broker cannot start on {settings.address}: {cause}; check bind and port"
    )


async def _serve(settings: BrokerSettings, with_parent: bool) -> None:
    """Run the broker until the parent closes its end of the pipe, or until a signal arrives."""
    # amqtt logs a failed start with a traceback; our error says the same in one sentence.
    logging.getLogger("amqtt").setLevel(logging.CRITICAL)
    try:
        broker = await _start(settings)
    except MqttError as error:
        if with_parent:
            _tell_parent(_Report(error=type(error).__name__, message=str(error)))
        raise
    logging.getLogger("amqtt").setLevel(logging.WARNING)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    if with_parent:
        _tell_parent(_Report())
        loop.add_reader(sys.stdin.fileno(), stop.set)
    else:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        _LOG.warning("MQTT broker listens on %s", settings.address)
    await stop.wait()
    await asyncio.sleep(_LINGER_S)
    try:
        await asyncio.wait_for(broker.shutdown(), _SHUTDOWN_S)
    except TimeoutError:
        _LOG.debug("amqtt is still serving a client; exiting anyway")


def _tell_parent(report: _Report) -> None:
    # A parent that was stopped in the meantime no longer reads; the end of standard input will stop us.
    with suppress(BrokenPipeError):
        os.write(sys.stdout.fileno(), msgspec.json.encode(report) + b"\n")


def run_alone(settings: BrokerSettings) -> None:
    """Run the broker in this process until a signal arrives.

    Raises:
        BrokerNotInstalledError: when amqtt is missing.
        PortInUseError: when another program listens there.
        BrokerError: when it does not start for another reason.
        MqttSettingsError: when the password file cannot be used.
    """
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    asyncio.run(_serve(settings, with_parent=False))


def _run_as_child() -> int:
    """Run the broker as a child, with its settings as the only argument; returns the exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    # Ctrl-C and systemd signal the whole process group, but the parent still has to publish `offline`.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        asyncio.run(_serve(msgspec.json.decode(sys.argv[1], type=BrokerSettings), with_parent=True))
    except MqttError as error:
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(_run_as_child())
