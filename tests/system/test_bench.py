"""`affectd bench` on this machine: that it measures, never how fast the machine is."""

from __future__ import annotations

import math
import signal
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from support.missing import needs_amqtt, without
from support.processes import children
from support.programs import Program, affectd

from edge.bench.run import Benchmark, show
from edge.inference.model import SHIPPED_MODEL
from edge.update.store import ModelStore

PATIENCE_S = 240.0
"""On a machine that has much else to do"""


@pytest.fixture(scope="module")
def benchmark_json(tmp_path_factory) -> Benchmark:
    done = affectd("bench", "--no-config", "--seconds", "2", "--json", timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    assert "amqtt" not in done.stderr
    # On a busy machine the broker may have to be killed in the end, which it says.
    assert [line for line in done.stderr.splitlines() if line.endswith("…")] == [
        "stages …",
        "daemon …",
        "daemon, live speech …",
        "daemon, quiet room …",
    ]
    return msgspec.json.decode(done.stdout, type=Benchmark)


def test_bench_when_run_then_every_figure_is_one(benchmark_json) -> None:
    stages, live = benchmark_json.stages, benchmark_json.daemon
    for figure in (
        stages.front_end,
        stages.whole,
        stages.window_ms,
        live.start_to_first_result_s,
        live.rss_mb,
    ):
        assert math.isfinite(figure)
        assert figure > 0.0
    parts = (stages.front_end, stages.gate, stages.voice, stages.model)
    assert min(parts) >= 0.0
    assert sum(parts) > 0.5 * stages.whole
    assert stages.windows >= stages.turns >= 5
    assert live.turns >= 1
    assert live.quiet_cpu >= 0.0
    assert live.rss_peak_mb >= live.rss_mb
    assert benchmark_json.model == "affectd"


def test_bench_when_shown_then_it_names_the_machine_and_each_stage(benchmark_json) -> None:
    text = show(benchmark_json)
    assert "          shipped with the program\n" in text
    for words in (
        benchmark_json.machine.processor, "front end", "gate and turns", "voice activity", "model",
        "quiet room", "of one core", "start to first result", "real-time factor",
    ):  # fmt: skip
        assert words in text
    busy = msgspec.structs.replace(
        benchmark_json, machine=msgspec.structs.replace(benchmark_json.machine, load=99.0)
    )
    assert "WARNING   other programs were busy (load 99.0)" in show(busy)


@needs_amqtt
def test_bench_when_a_broker_is_installed_then_the_daemon_publishes_to_it(benchmark_json) -> None:
    assert benchmark_json.daemon.publishes_to == "embedded broker"


@pytest.fixture(scope="module")
def bare(tmp_path_factory) -> SimpleNamespace:
    """What it says where no broker is installed, and a model that has yet to prove itself is."""
    folder = tmp_path_factory.mktemp("bare")
    models = ModelStore(folder / "state" / "models")
    content = SHIPPED_MODEL.read_bytes()
    digest = sha256(content).hexdigest()
    models.add(content, name="affectd", version="9.0.0", sha256=digest, signed_by="maker")
    models.note_start()
    before = contents(models.folder.parent)
    env = {**without("amqtt", folder), "STATE_DIRECTORY": str(models.folder.parent)}
    done = affectd("bench", "--no-config", "--seconds", "1", env=env, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    return SimpleNamespace(
        text=done.stdout, models=models.folder, before=before, after=contents(models.folder.parent)
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_bench_when_no_broker_is_installed_then_says_that_publishing_is_not_counted(bare) -> None:
    assert "no broker is installed here" in bare.text


def test_bench_when_a_model_was_installed_then_measures_it_and_leaves_its_trial_alone(bare) -> None:
    assert f"from {bare.models}\n" in bare.text
    assert bare.after == bare.before


def test_bench_when_there_is_no_such_model_then_66_before_anything_starts(tmp_path) -> None:
    done = affectd("bench", "--no-config", "--model", tmp_path / "none.tflite")
    assert done.returncode == 66
    assert done.stderr.startswith("affectd: ")


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "1e9"])
def test_bench_when_the_seconds_make_no_sense_then_64(seconds) -> None:
    assert affectd("bench", "--no-config", "--seconds", seconds).returncode == 64


def test_bench_when_it_is_ended_then_it_leaves_no_process_behind() -> None:
    with Program("bench", "--no-config", "--seconds", "600") as bench:
        bench.wait_for("daemon, live speech")
        started = children(bench.process.pid)
        assert started
        bench.signal(signal.SIGTERM)
        bench.wait_for_end_of_output()
    assert [pid for pid in started if Path(f"/proc/{pid}/cmdline").exists()] == []
