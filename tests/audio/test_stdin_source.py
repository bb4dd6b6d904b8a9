import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import soundfile

# Writes the blocks as raw float32, or the error's exit code and message.
LISTEN = """
import sys
from edge.audio.errors import AudioError
from edge.audio.stdin import StdinSource
try:
    for block in StdinSource(rate=int(sys.argv[1]), channels=int(sys.argv[2])).blocks():
        sys.stdout.buffer.write(block.tobytes())
except AudioError as error:
    print(error, file=sys.stderr)
    sys.exit(error.exit_code)
"""

# One block, then a close from another thread while `blocks()` waits for bytes that never come.
CLOSE_WHILE_WAITING = """
import threading, time
from edge.audio.stdin import StdinSource
source = StdinSource()
heard = threading.Event()
def listen():
    for block in source.blocks():
        heard.set()
thread = threading.Thread(target=listen)
thread.start()
assert heard.wait(20)
start = time.monotonic()
source.close()
thread.join(20)
print(time.monotonic() - start)
"""


def samples_of(result):
    assert result.returncode == 0, result.stderr
    return np.frombuffer(result.stdout, np.float32)


@pytest.fixture
def noise():
    return np.round(np.random.default_rng(2).uniform(-20_000, 20_000, 50_000)).astype("<i2")


@pytest.mark.parametrize("tail", [b"", b"\x01"], ids=["whole", "odd"])
def test_stdin_source_when_raw_pcm_is_piped_then_every_sample_is_heard(run_python, noise, tail):
    result = run_python(LISTEN, 16_000, 1, input=noise.tobytes() + tail)

    np.testing.assert_array_equal(samples_of(result), noise.astype(np.float32) / 32_768)


def test_stdin_source_when_raw_pcm_is_48_khz_stereo_then_becomes_16_khz_mono(run_python, noise):
    result = run_python(LISTEN, 48_000, 2, input=noise[:48_000].tobytes())

    assert samples_of(result).size == 8_000


@pytest.mark.parametrize("redirect", [True, False], ids=["file", "pipe"])
def test_stdin_source_when_a_wav_file_comes_in_then_its_own_rate_is_taken(run_python, tmp_path, redirect):
    path = tmp_path / "tone.wav"
    soundfile.write(path, 0.5 * np.sin(2 * np.pi * 440 * np.arange(44_100) / 44_100), 44_100)
    with path.open("rb") as file:
        result = run_python(LISTEN, 8_000, 2, **({"stdin": file} if redirect else {"input": file.read()}))

    block = samples_of(result)
    assert block.size == 16_000
    assert np.abs(np.fft.rfft(block)).argmax() == 440


@pytest.mark.skipif(shutil.which("sox") is None, reason="sox is not installed")
@pytest.mark.parametrize("bits", ["8", "16", "24", "32"])
def test_stdin_source_when_sox_streams_wav_then_it_is_heard(run_python, bits):
    sox = ["sox", "-n", "-r", "44100", "-c", "2", "-b", bits, "-t", "wav", "-", "synth", "1", "sine", "440"]
    with subprocess.Popen(sox, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as program:
        block = samples_of(run_python(LISTEN, 16_000, 1, stdin=program.stdout))

    assert block.size == 16_000
    assert np.abs(np.fft.rfft(block)).argmax() == 440


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"", b"without any sound"), (b"fLaC" + bytes(40), b"is FLAC"), (b"RIFF\0\0\0\0WAVE", b"WAV header")],
    ids=["nothing", "flac", "half a header"],
)
def test_stdin_source_when_pipe_holds_no_sound_then_exit_code_65(run_python, data, words):
    result = run_python(LISTEN, 16_000, 1, input=data)

    assert result.returncode == 65
    assert words in result.stderr
    assert b"Traceback" not in result.stderr


def test_stdin_source_when_it_is_a_terminal_then_exit_code_64(run_python):
    ours, theirs = os.openpty()
    try:
        result = run_python(LISTEN, 16_000, 1, stdin=theirs)
    finally:
        os.close(ours)
        os.close(theirs)

    assert result.returncode == 64
    assert b"is a terminal; pipe sound into it" in result.stderr


def test_stdin_source_when_it_is_closed_then_exit_code_64(child_env):
    result = subprocess.run(
        ["sh", "-c", 'exec "$0" -c "$1" 16000 1 <&-', sys.executable, LISTEN],
        env=child_env,
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert result.returncode == 64
    assert b"standard input is closed" in result.stderr


def test_stdin_source_when_closed_while_waiting_then_ends_at_once(child_env):
    with subprocess.Popen(
        [sys.executable, "-c", CLOSE_WHILE_WAITING],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=child_env,
    ) as child:
        child.stdin.write(bytes(640))
        child.stdin.flush()
        # Standard input stays open, so that only close() can end the wait.
        waited_s = float(child.stdout.readline())

    assert waited_s < 0.3
