"""What the doctor hears: sound of every quality from a program, a silent pipe, a microphone of ALSA's."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.alsa import microphone_from
from support.programs import affectd
from support.sound import DEMO_SPEECH, RATE, pcm

from edge.audio.settings import AudioSettings, SourceKind
from edge.config import Config
from edge.doctor import microphone
from edge.doctor.report import Finding, Verdict

SECONDS = np.arange(5 * RATE) / RATE
NOISE = np.random.default_rng(1).normal(0.0, 1.0, SECONDS.size)
SPEECHLIKE = 0.001 * NOISE + 0.2 * np.sin(2 * np.pi * 300 * SECONDS) * (np.sin(2 * np.pi * SECONDS) > 0.5)

WRITE = "import pathlib, sys; sys.stdout.buffer.write(pathlib.Path(sys.argv[1]).read_bytes())"


def listen_to(sound: np.ndarray, folder: Path) -> list[Finding]:
    """What is found of a command that writes this sound."""
    path = folder / "sound.raw"
    path.write_bytes(pcm(sound))
    settings = AudioSettings(source=SourceKind.COMMAND, command=[sys.executable, "-c", WRITE, str(path)])
    return list(microphone.examine(Config(audio=settings)))


def wrong(findings: list[Finding]) -> list[str]:
    assert all(finding.remedy for finding in findings if finding.verdict in {Verdict.WARN, Verdict.FAIL})
    return [finding.message for finding in findings if finding.verdict is not Verdict.OK]


def test_microphone_when_it_hears_well_then_nothing_is_wrong(tmp_path):
    findings = listen_to(SPEECHLIKE, tmp_path)
    assert wrong(findings) == []
    assert "dBFS" in findings[1].message


@pytest.mark.parametrize(
    ("sound", "words"),
    [
        (np.zeros_like(SPEECHLIKE), "every sample is zero"),
        (np.clip(20 * SPEECHLIKE, -1, 1), "are clipped"),
        (0.0001 * NOISE, "hardly any signal"),
        (0.1 * NOISE, "loud all the time"),
        (np.where(SECONDS % 1 < 0.7, 0.0, SPEECHLIKE), "are zero"),
        (SPEECHLIKE[:RATE], "delivered 1.0 s of sound"),
    ],
    ids=["zeros", "clipping", "quiet", "loud", "gaps", "short"],
)
def test_microphone_when_its_sound_is_bad_then_that_is_told(tmp_path, sound, words):
    assert any(words in message for message in wrong(listen_to(sound, tmp_path)))


def test_microphone_when_it_adds_a_constant_then_that_is_no_fault_as_the_recognition_takes_it_out(tmp_path):
    assert wrong(listen_to(SPEECHLIKE + 0.1, tmp_path)) == []


def test_microphone_when_it_is_quiet_and_a_gain_is_set_then_the_level_is_that_of_the_recognition(tmp_path):
    path = tmp_path / "sound.raw"
    path.write_bytes(pcm(0.0001 * NOISE + 0.0008 * np.sin(2 * np.pi * 300 * SECONDS) * (SECONDS % 1 > 0.5)))
    command = [sys.executable, "-c", WRITE, str(path)]
    settings = AudioSettings(source=SourceKind.COMMAND, command=command, gain_db=20.0)
    assert wrong(list(microphone.examine(Config(audio=settings)))) == []


def test_microphone_when_the_source_hangs_then_it_is_let_go_and_told(monkeypatch):
    monkeypatch.setattr(microphone, "LISTEN_S", 0.2)
    monkeypatch.setattr(microphone, "_OPEN_S", 0.3)
    settings = AudioSettings(source=SourceKind.COMMAND, command="sleep 60")
    (finding,) = microphone.examine(Config(audio=settings))
    assert finding.verdict is Verdict.FAIL
    assert "delivers nothing" in finding.message


def test_microphone_when_the_program_is_not_there_then_its_error_is_the_finding():
    settings = AudioSettings(source=SourceKind.COMMAND, command="no-such-recorder -q")
    (finding,) = microphone.examine(Config(audio=settings))
    assert finding.verdict is Verdict.FAIL
    assert "no-such-recorder" in finding.message
    assert finding.remedy


def test_microphone_when_the_source_is_a_file_then_it_is_read():
    settings = AudioSettings(source=SourceKind.FILE, path=str(DEMO_SPEECH))
    assert wrong(list(microphone.examine(Config(audio=settings)))) == []


def test_microphone_when_the_source_is_standard_input_then_it_is_left_alone():
    (finding,) = microphone.examine(Config(audio=AudioSettings(source=SourceKind.STDIN)))
    assert finding.verdict is Verdict.SKIP


def test_capturing_when_a_card_is_in_use_then_its_owner_is_known(tmp_path):
    status = tmp_path / "asound" / "card1" / "pcm0c" / "sub0" / "status"
    status.parent.mkdir(parents=True)
    status.write_text("state: RUNNING\nowner_pid   : 4711\ntrigger_time: 1.2\n")
    (tmp_path / "4711").mkdir()
    (tmp_path / "4711" / "cmdline").write_bytes(b"/opt/affectd/bin/python\0/opt/affectd/bin/affectd\0run\0")
    assert microphone._capturing(tmp_path) == ["4711"]
    assert microphone._affectd_of("4711", tmp_path) == "4711"


@pytest.mark.parametrize(("name", "verdict"), [("affectd", Verdict.WARN), ("recorder", Verdict.FAIL)])
def test_microphone_when_a_program_holds_it_then_it_counts_who_started_that_program(
    tmp_path, monkeypatch, name, verdict
):
    (tmp_path / name).write_text("sleep 60 & echo $!; wait")
    holder = subprocess.Popen(
        ["sh", tmp_path / name], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        # No sound card here, so the kernel's list of owners is all that is made up.
        monkeypatch.setattr(microphone, "_capturing", lambda: [holder.stdout.readline().strip()])
        busy = ["sh", "-c", "echo 'audio open error: Device or resource busy' >&2; exit 1"]
        settings = AudioSettings(source=SourceKind.COMMAND, command=busy)
        (finding,) = microphone.examine(Config(audio=settings))
    finally:
        os.killpg(holder.pid, signal.SIGKILL)
        holder.wait()
    assert finding.verdict is verdict
    assert (f"affectd is already listening (process {holder.pid})" in finding.message) == (name == "affectd")


def test_doctor_when_alsa_has_a_microphone_that_plays_speech_then_it_is_heard(tmp_path, alsa_config):
    speech = tmp_path / "speech.raw"
    speech.write_bytes(pcm(np.repeat(0.5 * SPEECHLIKE, 2)) * 20)
    env = alsa_config(microphone_from(speech))
    config = tmp_path / "affectd.toml"
    config.write_text('[audio]\ndevice = "fakemic"\n')
    done = affectd("doctor", "--config", config, "--only", "microphone", env=env)
    assert "ok    microphone 'fakemic' delivers sound" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0
    assert done.stderr == ""


def test_microphone_when_the_program_fails_then_its_words_are_the_finding_and_what_to_do_the_remedy():
    failing = ["sh", "-c", "echo 'no (such; card)' >&2; exit 3"]
    settings = AudioSettings(source=SourceKind.COMMAND, command=failing)
    (finding,) = microphone.examine(Config(audio=settings))
    assert "(it said: no (such; card))" in finding.message
    assert finding.remedy == "run it on its own to see what it needs"


def test_doctor_when_no_microphone_has_the_name_then_the_remedy_is_one_that_is_there(tmp_path, alsa_config):
    speech = tmp_path / "speech.raw"
    speech.write_bytes(pcm(SPEECHLIKE) * 20)
    config = tmp_path / "affectd.toml"
    config.write_text('[audio]\ndevice = "webcam"\n')
    env = alsa_config(microphone_from(speech))
    done = affectd("doctor", "--config", config, "--only", "microphone", "--json", env=env)
    (finding,) = json.loads(done.stdout)["findings"]
    assert "(present are: 'fakemic' (" in finding["message"]
    assert finding["remedy"].startswith("set device to one of these names")
