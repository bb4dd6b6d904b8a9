"""From a microphone without hardware (an ALSA `file` PCM) through real PortAudio to a turn on the broker."""

import fcntl
import json
import signal
import tomllib

import numpy as np
import soxr
from support.programs import Program, affectd
from support.sound import DEMO_SPEECH, RATE, pcm

from edge.audio.files import read_file

HERTZ = 48_000
PIPE_BYTES = 1 << 20
"""What a pipe may hold at most without privileges: 5.4 s at 48 kHz stereo"""


def test_devices_when_there_is_a_microphone_then_its_name_is_ready_for_the_configuration(fake_microphone):
    pipe, env = fake_microphone
    with pipe.open("r+b", buffering=0):
        run = affectd("devices", env=env)

    assert run.returncode == 0
    assert run.stderr == ""
    lines = run.stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("'fakemic' ("))
    assert tomllib.loads("\n".join(lines[at + 1 : at + 3])) == {"audio": {"device": "fakemic"}}


def test_run_when_a_microphone_of_48_khz_stereo_hears_speech_then_its_turn_arrives(
    fake_microphone, subscriber, to_broker, model
):
    pipe, env = fake_microphone
    speech = np.concatenate([read_file(DEMO_SPEECH)[: 4 * RATE], np.zeros(RATE, np.float32)])
    stereo = np.repeat(soxr.resample(speech, RATE, HERTZ)[:, None], 2, axis=1)
    with pipe.open("r+b", buffering=0) as sound:
        # All of it lies ready before ALSA reads: a writer that came late would tear it.
        fcntl.fcntl(sound, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        sound.write(pcm(stereo))
        options = ("--device", "fakemic", "--device-rate", HERTZ)
        with Program("run", *to_broker, *options, env=env) as daemon:
            daemon.wait_for("listening to fakemic at 48000 Hz, 2 channels")
            (turn,) = subscriber.wait_for_turns(1)
            daemon.signal(signal.SIGTERM)
            subscriber.wait_offline()

    answer = json.loads(affectd("classify", "--json", DEMO_SPEECH).stdout)
    assert set(turn.probabilities) == set(model.card.labels) == set(answer["probabilities"])
    assert 3.0 < turn.duration < 4.8


def test_run_when_the_microphone_is_pulled_out_then_the_process_ends_with_69_and_offline(
    fake_microphone, subscriber, to_broker
):
    pipe, env = fake_microphone
    with pipe.open("r+b", buffering=0), Program("run", *to_broker, "--device", "fakemic", env=env) as daemon:
        assert daemon.wait() == 69
        subscriber.wait_offline()

    assert sum("has delivered nothing" in line for line in daemon.lines) == 1
