"""The files of the first start, under the tools that read them on the board: cloud-init and netplan."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "firmware_configs" / "cloud-init"


def run(*command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.skipif(shutil.which("cloud-init") is None, reason="cloud-init is not installed")
def test_user_data_when_cloud_init_checks_it_then_it_is_valid():
    done = run("cloud-init", "schema", "--config-file", FOLDER / "user-data")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "alid" in done.stdout


@pytest.mark.skipif(shutil.which("netplan") is None, reason="netplan is not installed")
def test_network_config_when_netplan_reads_it_then_it_makes_both_networks_of_it(tmp_path):
    place = tmp_path / "etc" / "netplan" / "50-cloud-init.yaml"
    place.parent.mkdir(parents=True)
    shutil.copy(FOLDER / "network-config", place)
    place.chmod(0o600)
    done = run("netplan", "generate", "--root-dir", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    made = {path.name for path in (tmp_path / "run").rglob("*.network")}
    assert made == {"10-netplan-eth0.network", "10-netplan-wlan0.network"}


def test_user_data_when_read_then_it_holds_no_password():
    text = (FOLDER / "user-data").read_text(encoding="utf-8")
    assert re.findall(r"\b(?:hashed_|plain_text_)?passwd:", text) == []
    assert "ssh_pwauth: false" in text
    assert "lock_passwd: true" in text


def test_user_data_when_it_writes_a_configuration_then_affectd_takes_it(tmp_path):
    config = pytest.importorskip("edge.config")
    lines = (FOLDER / "user-data").read_text(encoding="utf-8").splitlines()
    begin = next(i for i, line in enumerate(lines) if line.strip() == "content: |") + 1
    end = next(i for i, line in enumerate(lines) if line.startswith("runcmd:"))
    written = tmp_path / "affectd.toml"
    written.write_text("\n".join(line[6:] for line in lines[begin:end]))
    assert config.load(written).config.mqtt.host == "localhost"


def test_user_data_when_it_installs_then_the_archive_of_the_readme_holds_the_installer(tmp_path):
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    archive = tmp_path / "affectd.tar.gz"
    made = run("git", "-C", ROOT, "archive", "--format=tar.gz", "--prefix=affectd/", "-o", archive, "HEAD")
    assert made.returncode == 0, made.stderr
    names = run("tar", "-tzf", archive).stdout.splitlines()
    assert "affectd/firmware_configs/install.sh" in names
    text = (FOLDER / "user-data").read_text(encoding="utf-8")
    assert "/boot/firmware/affectd.tar.gz" in text
    assert "--strip-components=1" in text
