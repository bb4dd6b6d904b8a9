"""A neutral voice, enrolled: from recordings, a microphone, and over MQTT while the daemon runs."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import soxr
from support.programs import Program, affectd
from support.sound import DEMO_SPEECH, RATE, pcm, silence
from support.subscriber import Subscriber

from edge.audio.files import read_file
from edge.mqtt.commands import CommandResult
from edge.voice.file import VoiceFile

LEAST, SECONDS = 3, 4
HERTZ = 48_000
PIPE_BYTES = 1 << 20
"""What a pipe may hold at most without privileges: 5.4 s at 48 kHz stereo"""


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state folder that no other test has."""
    return tmp_path / "state"


@pytest.fixture
def env(state: Path) -> dict[str, str]:
    return {"STATE_DIRECTORY": str(state)}


@pytest.fixture
def said() -> np.ndarray:
    return read_file(DEMO_SPEECH)[: 10 * RATE]


def test_enrol_when_given_a_recording_then_keeps_numbers_until_it_is_forgotten(state, env, device):
    run = affectd("enrol", "--no-config", "--device-id", device, "--seconds", SECONDS, DEMO_SPEECH, env=env)
    file = VoiceFile(state, device)

    assert run.returncode == 0, run.stderr
    assert "enrolled: " in run.stdout
    assert f"affectd/{device}/command/reload" in run.stdout
    assert f"speech: {SECONDS} of {SECONDS} s" in run.stderr
    assert file.read() is not None
    assert [path.name for path in state.iterdir()] == [file.path.name]
    forgotten = affectd("enrol", "--no-config", "--device-id", device, "--forget", env=env)
    assert (forgotten.returncode, "forgotten" in forgotten.stdout) == (0, True)
    assert not list(state.iterdir())


def test_enrol_when_there_is_too_little_speech_then_65_and_nothing_is_kept(
    state, env, device, tmp_path, said
):
    sound = tmp_path / "little.raw"
    sound.write_bytes(pcm(said[: 2 * RATE]))
    run = affectd("enrol", "--no-config", "--device-id", device, "--command", f"cat {sound}", env=env)

    assert run.returncode == 65
    assert "of good speech in 2 s, but 10 s are needed" in run.stderr
    assert not state.exists()


def test_enrol_when_a_microphone_hears_speech_then_shows_progress_and_ends_by_itself(
    state, device, fake_microphone, said, tmp_path
):
    config = tmp_path / "affectd.toml"
    # The pipe gives all of it at once, and none may be dropped on a busy machine.
    config.write_text(f'[audio]\ndevice = "fakemic"\ndevice_rate = {HERTZ}\nbuffer_s = 20.0\n')
    pipe, alsa = fake_microphone
    # Two sentences with hardly a pause between them: a pipe holds no more.
    sentences = np.concatenate([said[: round(3.7 * RATE)], said[round(4.7 * RATE) : round(6.2 * RATE)]])
    stereo = np.repeat(soxr.resample(sentences, RATE, HERTZ)[:, None], 2, axis=1)
    with pipe.open("r+b", buffering=0) as sound:
        # All of it lies ready before ALSA reads: a writer that came late would tear it.
        fcntl.fcntl(sound, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        sound.write(pcm(stereo))
        options = ("--device-id", device, "--config", config, "--seconds", LEAST)
        run = affectd("enrol", *options, env={**alsa, "STATE_DIRECTORY": str(state)})

    assert run.returncode == 0, run.stderr
    assert "without emotion" in run.stderr
    assert [f"speech: {second} of {LEAST} s" for second in range(1, LEAST + 1)] == [
        line for line in run.stderr.splitlines() if line.startswith("speech: ")
    ]
    assert VoiceFile(state, device).read() is not None


@pytest.fixture
def live(mosquitto, device) -> Iterator[Subscriber]:
    with Subscriber(mosquitto.port, f"affectd/{device}/#") as subscriber:
        yield subscriber


class Daemon:
    """A daemon that hears its standard input, and whoever commands it."""

    def __init__(self, live: Subscriber, device: str, options: list[str], env: dict[str, str]) -> None:
        self.program = Program("run", *options, "--source", "stdin", env=env)
        self._live = live
        self._root = f"affectd/{device}"
        live.wait_for(f"{self._root}/state")

    def ask(self, name: str, **fields: Any) -> None:
        self._live.say(f"{self._root}/command/{name}", msgspec.json.encode(fields).decode())

    def answer(self, name: str) -> CommandResult:
        answer = self._live.wait_for(f"{self._root}/command/{name}/result")
        return msgspec.json.decode(answer.payload, type=CommandResult)

    def health(self) -> dict[str, Any]:
        self.ask("health")
        return self.answer("health").result


@pytest.fixture
def start(live, device, to_broker, env):
    def begin() -> Daemon:
        return Daemon(live, device, to_broker, env)

    return begin


def test_enrol_when_commanded_then_is_answered_shown_kept_over_a_restart_and_forgotten(
    start, state, device, live, said
):
    daemon = start()
    with daemon.program as program:
        assert daemon.health()["voice_enrolled"] is None
        daemon.ask("enrol", id="e", value=SECONDS)
        daemon.ask("enrol", id="second")
        second = daemon.answer("enrol")
        assert (second.id, second.ok) == ("second", False)
        program.say(pcm(said))
        enrolled = daemon.answer("enrol")
        assert (enrolled.id, enrolled.ok, enrolled.reason) == ("e", True, None)
        assert enrolled.result["speech_s"] >= SECONDS
        assert daemon.health()["voice_enrolled"] == enrolled.result["at"]
    live.wait_for(f"affectd/{device}/availability", b"offline")

    daemon = start()
    with daemon.program as program:
        program.say(silence(0.1))
        program.wait_for("using the voice enrolled at")
        health = daemon.health()
        assert health["voice_enrolled"] == enrolled.result["at"]
        assert (health["voice_turns"], health["voice_strength"] > 0.1) == (0, True)
        daemon.ask("forget")
        assert daemon.answer("forget").result == {"was_enrolled": True}
        assert daemon.health()["voice_enrolled"] is None
        assert VoiceFile(state, device).read() is None


def test_enrol_when_it_cannot_end_well_then_the_answer_says_why(start, said):
    daemon = start()
    with daemon.program as program:
        daemon.ask("mute")
        assert daemon.answer("mute").ok
        daemon.ask("enrol")
        assert "unmute first" in (daemon.answer("enrol").reason or "")
        daemon.ask("unmute")
        assert daemon.answer("unmute").ok
        daemon.ask("enrol", id="forgotten")
        daemon.ask("forget")
        assert "asked to forget" in (daemon.answer("enrol").reason or "")
        assert daemon.answer("forget").result == {"was_enrolled": False}
        begun = len(program.lines)
        daemon.ask("enrol", id="ended")
        program.wait_for("enrolling: ", since=begun)
        program.say(pcm(said[:RATE]))
        program.end_input()
        assert "the source has ended" in (daemon.answer("enrol").reason or "")


def test_run_when_the_enrolled_voice_was_heard_by_another_front_end_then_is_not_used_and_says_what_to_do(
    start, state, device
):
    file = VoiceFile(state, device)
    run = affectd(
        "enrol", "--no-config", "--device-id", device, "--seconds", SECONDS, DEMO_SPEECH,
        env={"STATE_DIRECTORY": str(state)},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    kept = file.read()
    assert kept is not None
    file.write(msgspec.structs.replace(kept, frontend={**kept.frontend, "n_mels": 26}))
    daemon = start()
    with daemon.program as program:
        program.say(silence(0.1))
        assert "enrol it again" in program.wait_for("is not used")
        assert daemon.health()["voice_enrolled"] is None
