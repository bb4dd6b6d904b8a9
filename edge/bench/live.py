"""Measures the daemon as a separate process that is fed sound in real time."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import msgspec
import numpy as np

from edge.audio.block import SAMPLE_RATE, Block
from edge.audio.settings import AudioSettings, SourceKind
from edge.bench.errors import BenchError
from edge.bench.stages import BLOCK, quiet_room
from edge.config import Config, Loaded, LogSettings, describe
from edge.mqtt.home_assistant import HomeAssistantSettings
from edge.mqtt.outbox_settings import OutboxSettings, Storage
from edge.mqtt.settings import BrokerSettings, MqttSettings, Protocol

_FIRST_RESULT = "turn: "
"""What the daemon logs with each turn"""

_PATIENCE_S = 120.0
"""Seconds until the first result; more than a small board needs to start"""

_STOP_S = 5.0
_TICKS = os.sysconf("SC_CLK_TCK")


class Live(msgspec.Struct, frozen=True, kw_only=True):
    """What the daemon used."""

    seconds: float
    """Duration of live speech, and again of a quiet room"""

    start_to_first_result_s: float
    """From the start of the process to the result of a first turn whose sound was available from the start"""

    speech_cpu: float
    """Processor time per second, while somebody speaks with short pauses; 1.0 is one core"""

    quiet_cpu: float
    """The same in a quiet room"""

    rss_mb: float
    """Resident memory at the end"""

    rss_peak_mb: float
    turns: int
    """Number of results in total"""

    publishes_to: str
    """`embedded broker`, or `none` if none is installed: publishing then costs next to nothing"""


def measure_live(
    config: Config, speech: Block, seconds: float, broker: BrokerSettings | None, folder: Path,
    progress: Callable[[str], None],
) -> Live:  # fmt: skip
    """Start the daemon, play speech to it, and let it listen to a quiet room.

    Args:
        config: of the device; source, broker, outbox and Home Assistant are replaced.
        speech: mono at 16 kHz, [-1, 1]; begins with a turn.
        seconds: duration of each of the two.
        broker: a running broker, or None.
        folder: for the daemon's configuration and state.
        progress: receives messages on the progress.

    Raises:
        BenchError: when the daemon ends or gives no result.
    """
    path = folder / "bench.toml"
    path.write_text(describe(Loaded(config=_replaced(config, broker), origins={})), encoding="utf-8")
    progress("daemon: starting")
    with _Daemon(path) as daemon:
        # In a thread: a pipe holds only a second or two of sound, and the daemon has to start first.
        first = np.concatenate([speech[: 5 * SAMPLE_RATE], quiet_room(1.0)])
        feeding = threading.Thread(target=daemon.feed, args=(first,), daemon=True)
        feeding.start()
        started = daemon.wait_for_turn()
        feeding.join()
        looped = np.resize(speech, round(seconds * SAMPLE_RATE))
        speech_cpu = daemon.share_while(
            looped, lambda s: progress(f"daemon, live speech: {s:.0f} of {seconds:.0f} s")
        )
        # The end of the last turn must not count towards the quiet room.
        daemon.share_while(quiet_room(3.0), lambda _: None)
        quiet = quiet_room(seconds)
        quiet_cpu = daemon.share_while(
            quiet, lambda s: progress(f"daemon, quiet room: {s:.0f} of {seconds:.0f} s")
        )
        rss, peak = daemon.memory_mb()
        return Live(
            seconds=seconds,
            start_to_first_result_s=started,
            speech_cpu=speech_cpu,
            quiet_cpu=quiet_cpu,
            rss_mb=rss,
            rss_peak_mb=peak,
            turns=daemon.turns,
            publishes_to="none" if broker is None else "embedded broker",
        )


def _replaced(config: Config, broker: BrokerSettings | None) -> Config:
    where = broker or BrokerSettings()
    return msgspec.structs.replace(
        config,
        audio=AudioSettings(source=SourceKind.STDIN),
        # The embedded broker knows only this version, and logs a warning when asked for another.
        mqtt=MqttSettings(host=where.bind, port=where.port, device="bench", protocol=Protocol.V3_1_1),
        outbox=OutboxSettings(storage=Storage.MEMORY),
        home_assistant=HomeAssistantSettings(enabled=False),
        broker=BrokerSettings(),
        log=LogSettings(),
    )


class _Daemon:
    """`affectd run`, its standard input, and what it logs."""

    def __init__(self, config: Path) -> None:
        self._command = [sys.executable, "-m", "edge.cli", "run", "--config", str(config)]
        # Not the state folder of the service, in which it must leave nothing behind.
        self._environment = {**os.environ, "STATE_DIRECTORY": str(config.parent)}
        self._turned: queue.SimpleQueue[float | None] = queue.SimpleQueue()
        self._lines: list[str] = []
        self.turns = 0

    def __enter__(self) -> Self:
        self._begun = time.monotonic()
        # A new session shields it from the terminal's Ctrl-C: this process stops it itself.
        self._process = subprocess.Popen(
            self._command,
            env=self._environment,
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        threading.Thread(target=self._read, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _read(self) -> None:
        assert self._process.stderr is not None  # noqa: S101  # Popen was asked for a pipe
        for line in self._process.stderr:
            text = line.decode(errors="replace").rstrip()
            self._lines = [*self._lines[-4:], text]
            if _FIRST_RESULT in text:
                self.turns += 1
                self._turned.put(time.monotonic())
        self._turned.put(None)

    def feed(self, sound: Block) -> None:
        """Write sound to it, as fast as it reads it.

        Raises:
            BenchError: when it has ended.
        """
        assert self._process.stdin is not None  # noqa: S101  # Popen was asked for a pipe
        try:
            self._process.stdin.write(np.rint(32_767.0 * np.clip(sound, -1.0, 1.0)).astype("<i2").tobytes())
            self._process.stdin.flush()
        except BrokenPipeError:
            raise BenchError(f"the daemon has ended: {' / '.join(self._lines)}") from None

    def wait_for_turn(self) -> float:
        """Seconds from its start to the first result."""
        try:
            at = self._turned.get(timeout=_PATIENCE_S)
        except queue.Empty:
            raise BenchError(f"the daemon gave no result within {_PATIENCE_S:g} s") from None
        if at is None:
            raise BenchError(f"the daemon has ended: {' / '.join(self._lines)}")
        return at - self._begun

    def share_while(self, sound: Block, progress: Callable[[float], None]) -> float:
        """Processor time per second while it hears a sound in real time."""
        begun, used = time.monotonic(), self._cpu_s()
        said = -1
        for start in range(0, len(sound), BLOCK):
            due = begun + start / SAMPLE_RATE
            time.sleep(max(0.0, due - time.monotonic()))
            self.feed(sound[start : start + BLOCK])
            if start // SAMPLE_RATE > said:
                said = start // SAMPLE_RATE
                progress(said + 1)
        return (self._cpu_s() - used) / (time.monotonic() - begun)

    def _cpu_s(self) -> float:
        """Processor time of the process so far, all threads, in user and in kernel mode."""
        fields = self._proc("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def memory_mb(self) -> tuple[float, float]:
        """Resident memory now, and its peak."""
        status = dict(line.split(":", 1) for line in self._proc("status").splitlines() if ":" in line)
        now, peak = (int(status[key].split()[0]) / 1000.0 for key in ("VmRSS", "VmHWM"))
        return now, peak

    def _proc(self, name: str) -> str:
        try:
            return Path(f"/proc/{self._process.pid}/{name}").read_text(encoding="ascii")
        except OSError:
            raise BenchError(f"the daemon has ended: {' / '.join(self._lines)}") from None
