"""Board, clock, disk and permissions, on machines made of files."""

import os
import time
from pathlib import Path

import pytest

from edge.config import Config
from edge.doctor import board, clock, disk, permissions
from edge.doctor.report import Finding, Verdict
from edge.mqtt.outbox_settings import OutboxSettings, Storage
from edge.mqtt.settings import MqttSettings

not_as_root = pytest.mark.skipif(os.geteuid() == 0, reason="root may open everything")


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def verdicts(findings: list[Finding]) -> list[Verdict]:
    assert all(bool(f.remedy) == (f.verdict in {Verdict.WARN, Verdict.FAIL}) for f in findings)
    return [finding.verdict for finding in findings]


def test_board_when_it_is_a_pi_in_good_health_then_all_of_it_is_told(tmp_path):
    root = write(tmp_path, {
        "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\0",
        "sys/class/thermal/thermal_zone0/temp": "48312\n",
        "sys/devices/platform/soc/soc:firmware/get_throttled": "0\n",
        "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "ondemand\n",
        "proc/meminfo": "MemTotal: 949444 kB\nMemAvailable: 712000 kB\n",
    })  # fmt: skip
    findings = list(board.examine(Config(), root))
    assert verdicts(findings) == [Verdict.OK] * 5
    assert findings[0].message == "Raspberry Pi 4 Model B Rev 1.4"
    assert findings[1].message == "48 °C"


@pytest.mark.parametrize(
    ("file", "text", "verdict", "words"),
    [
        ("sys/class/thermal/thermal_zone0/temp", "71000", Verdict.WARN, "71 °C"),
        ("sys/class/thermal/thermal_zone0/temp", "84200", Verdict.FAIL, "84 °C"),
        ("sys/devices/platform/soc/soc:firmware/get_throttled", "50005", Verdict.FAIL, "undervoltage"),
        ("sys/devices/platform/soc/soc:firmware/get_throttled", "80000", Verdict.WARN, "temperature limit"),
        (
            "sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled", "4", Verdict.FAIL,
            "throttled",
        ),
        ("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave", Verdict.WARN, "powersave"),
        ("proc/meminfo", "MemAvailable: 40960 kB", Verdict.WARN, "40 MB"),
    ],
)  # fmt: skip
def test_board_when_something_is_wrong_with_it_then_that_is_told(tmp_path, file, text, verdict, words):
    (finding,) = board.examine(Config(), write(tmp_path, {file: text}))
    assert verdicts([finding]) == [verdict]
    assert words in finding.message


def test_board_when_only_vcgencmd_tells_then_it_is_asked(tmp_path):
    root = write(tmp_path, {"usr/bin/vcgencmd": "#!/bin/sh\necho throttled=0x50000\n"})
    (root / "usr/bin/vcgencmd").chmod(0o755)
    (finding,) = board.examine(Config(), root)
    assert finding.message == "since boot: undervoltage, throttled"


def test_board_when_the_machine_tells_nothing_then_that_is_no_fault(tmp_path):
    assert verdicts(list(board.examine(Config(), tmp_path))) == [Verdict.SKIP]


def test_clock_when_it_is_before_the_installation_then_it_fails():
    (finding,) = clock.examine(Config(), now=0.0)
    assert verdicts([finding]) == [Verdict.FAIL]
    assert "1970-01-01" in finding.message


def test_clock_when_it_can_be_right_then_it_does_not_fail():
    (finding,) = clock.examine(Config(), now=time.time())
    assert finding.verdict is not Verdict.FAIL


@pytest.mark.parametrize(("answer", "verdict"), [("yes", Verdict.OK), ("no", Verdict.WARN)])
def test_clock_when_systemd_says_whether_it_is_kept_then_that_is_told(tmp_path, monkeypatch, answer, verdict):
    program = write(tmp_path, {"timedatectl": f"#!/bin/sh\necho {answer}\n"}) / "timedatectl"
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert verdicts(list(clock.examine(Config()))) == [verdict]


def config_with_outbox(path: Path, **settings: object) -> Config:
    return Config(outbox=OutboxSettings(path=str(path / "outbox.sqlite3"), **settings))


def test_disk_when_there_is_room_then_it_is_told(tmp_path):
    mounts = write(tmp_path, {"mounts": "/dev/mmcblk0p2 / ext4 rw 0 0\n"}) / "mounts"
    assert verdicts(list(disk.examine(config_with_outbox(tmp_path), mounts))) == [Verdict.OK]


def test_disk_when_the_outbox_may_take_more_than_there_is_then_it_warns(tmp_path):
    mounts = write(tmp_path, {"mounts": "/dev/mmcblk0p2 / ext4 rw 0 0\n"}) / "mounts"
    config = config_with_outbox(tmp_path, max_bytes=1 << 60)
    assert verdicts(list(disk.examine(config, mounts))) == [Verdict.WARN]


def test_disk_when_it_lives_in_memory_then_it_warns(tmp_path):
    text = f"/dev/mmcblk0p2 / ext4 rw 0 0\noverlay {tmp_path.resolve()} overlay rw 0 0\n"
    findings = list(disk.examine(config_with_outbox(tmp_path), write(tmp_path, {"mounts": text}) / "mounts"))
    assert verdicts(findings) == [Verdict.OK, Verdict.WARN]
    assert "overlay" in findings[1].message


def test_disk_when_turns_wait_in_memory_then_there_is_nothing_to_look_at():
    config = Config(outbox=OutboxSettings(storage=Storage.MEMORY))
    assert verdicts(list(disk.examine(config))) == [Verdict.SKIP]


def test_permissions_when_there_is_no_sound_card_then_that_is_left_to_the_microphone(tmp_path):
    findings = list(permissions.examine(config_with_outbox(tmp_path), tmp_path / "snd"))
    assert verdicts(findings) == [Verdict.OK, Verdict.SKIP, Verdict.OK]


@pytest.mark.parametrize(
    ("mode", "verdict"), [(0o600, Verdict.OK), (0o640, Verdict.OK), (0o644, Verdict.WARN)]
)
def test_permissions_when_there_is_a_password_file_then_others_must_not_read_it(tmp_path, mode, verdict):
    secret = write(tmp_path, {"password": "secret"}) / "password"
    secret.chmod(mode)
    config = Config(mqtt=MqttSettings(username="kitchen", password_file=str(secret)))
    assert verdicts(list(permissions.examine(config, tmp_path)))[-1] is verdict


def test_permissions_when_the_password_is_shown_to_the_service_alone_then_the_remedy_says_so():
    path = "/run/credentials/affectd.service/mqtt-password"
    config = Config(mqtt=MqttSettings(username="kitchen", password_file=path))
    last = list(permissions.examine(config))[-1]
    assert last.verdict is Verdict.FAIL
    assert "while it runs" in last.remedy


@not_as_root
def test_permissions_when_the_sound_card_is_closed_then_the_group_is_the_remedy(tmp_path):
    device = write(tmp_path, {"pcmC1D0c": ""}) / "pcmC1D0c"
    device.chmod(0)
    finding = list(permissions.examine(config_with_outbox(tmp_path), tmp_path))[1]
    assert finding.verdict is Verdict.FAIL
    assert "usermod -aG audio" in finding.remedy


@not_as_root
def test_permissions_when_the_state_folder_is_closed_then_it_fails(tmp_path):
    closed = tmp_path / "state"
    closed.mkdir(mode=0o500)
    assert verdicts(list(permissions.examine(config_with_outbox(closed), tmp_path)))[-1] is Verdict.FAIL
