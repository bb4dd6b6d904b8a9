"""Runs all measurements of `affectd bench` and prints them."""

from __future__ import annotations

import os
import platform
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import msgspec

from edge import __version__
from edge.audio.files import read_file
from edge.bench.live import Live, measure_live
from edge.bench.stages import Stages, measure_stages
from edge.config import Config
from edge.demo import SPEECH, free_port
from edge.health import TimedModel
from edge.inference.model import SHIPPED_MODEL
from edge.mqtt.broker import EmbeddedBroker
from edge.mqtt.errors import BrokerNotInstalledError
from edge.mqtt.settings import BrokerSettings
from edge.update.in_force import device_store, settings_in_force

_BUSY = 0.3
"""Load per core above which other programs distort the figures"""


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """The machine that was measured."""

    processor: str
    cores: int
    load: float
    """Load average over the minute before the start"""

    python: str


class Benchmark(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that `affectd bench --json` prints."""

    affectd: str
    machine: Machine
    model: str
    model_sha256: str
    model_file: str
    """Its path: shipped with the program, installed later, or named in the configuration"""

    runtime: str
    threads: int
    stages: Stages
    daemon: Live


def run_bench(config: Config, seconds: float, *, as_json: bool) -> int:
    """Measure and print; returns the exit code.

    Raises:
        BenchError: when the daemon cannot be measured.
        InferenceError: when the model cannot be loaded.
    """
    # SIGTERM raises KeyboardInterrupt, as Ctrl-C does, so that neither leaves the daemon behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    machine = describe_machine()
    line = _Progress()
    speech = read_file(SPEECH)
    # Only reads the store: measuring a model on trial must not count as one of its failed starts.
    config = msgspec.structs.replace(config, model=settings_in_force(config.model, device_store()))
    model = TimedModel(config.model)
    stages = measure_stages(config, model, speech, line.say)
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="affectd-bench-")))
        live = measure_live(config, speech, seconds, _broker(held), folder, line.say)
    line.clear()
    benchmark = Benchmark(
        affectd=__version__,
        machine=machine,
        model=model.card.name,
        model_sha256=model.card.flatbuffer_sha256,
        model_file=config.model.path,
        runtime=str(model.runtime),
        threads=config.model.threads,
        stages=stages,
        daemon=live,
    )
    print(
        msgspec.json.format(msgspec.json.encode(benchmark), indent=2).decode() if as_json else show(benchmark)
    )
    return 0


def show(benchmark: Benchmark) -> str:
    """The figures as text of at most 80 columns."""
    stages, live, machine = benchmark.stages, benchmark.daemon, benchmark.machine
    rows = [
        ("front end", stages.front_end),
        ("gate and turns", stages.gate),
        ("voice activity", stages.voice),
        ("model", stages.model),
        ("all, during speech", stages.whole),
    ]
    text = [
        f"machine   {machine.processor}, {machine.cores} core(s)",
        f"model     {benchmark.model} {benchmark.model_sha256[:12]}, {benchmark.runtime}, "
        f"{benchmark.threads} thread(s)",
        "          shipped with the program"
        if benchmark.model_file == str(SHIPPED_MODEL)
        else f"          from {Path(benchmark.model_file).parent}",
    ]
    if machine.load > _BUSY * machine.cores:
        text.append(
            f"WARNING   other programs were busy (load {machine.load:.1f}): expect less on an idle machine"
        )
    text += [
        "",
        f"processor time per second of sound ({stages.sound_s:.0f} s of speech, {stages.turns} turns, "
        f"{stages.windows} windows)",
        *(f"  {name:<26}{1000.0 * factor:8.2f} ms   real-time factor {factor:.4f}" for name, factor in rows),
        f"  one inference             {stages.window_ms:8.2f} ms   wall-clock time",
        "",
        f"the daemon as a separate process, {live.seconds:.0f} s each, sound through a pipe in real time",
        f"  live speech               {100.0 * live.speech_cpu:8.2f} % of one core",
        f"  quiet room                {100.0 * live.quiet_cpu:8.2f} % of one core",
        f"  resident memory           {live.rss_mb:8.1f} MB, peak {live.rss_peak_mb:.1f} MB",
        f"  start to first result     {live.start_to_first_result_s:8.2f} s, with its sound already there",
    ]
    if live.publishes_to == "none":
        text.append("  no broker is installed here: the cost of publishing is not included")
    return "\n".join(text)


def describe_machine() -> Machine:
    """Describe this machine, as far as it identifies itself."""
    return Machine(
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)),
        load=round(os.getloadavg()[0], 2),
        python=platform.python_version(),
    )


def _processor() -> str:
    board = Path("/proc/device-tree/model")
    if board.is_file():
        return board.read_text(encoding="ascii", errors="replace").rstrip("\0")
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _broker(held: ExitStack) -> BrokerSettings | None:
    """A private broker for the daemon, if amqtt is installed."""
    settings = BrokerSettings(port=free_port(0))
    try:
        held.enter_context(EmbeddedBroker(settings))
    except BrokerNotInstalledError:
        return None
    return settings


class _Progress:
    """Progress on standard error: one line that changes on a terminal, otherwise one line per stage."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._said = ""

    def say(self, text: str) -> None:
        stage = text.partition(":")[0]
        if self._is_terminal:
            print(f"\r\x1b[K{text} …", end="", file=sys.stderr, flush=True)
        elif stage != self._said:
            print(f"{stage} …", file=sys.stderr, flush=True)
        self._said = stage

    def clear(self) -> None:
        if self._is_terminal:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
