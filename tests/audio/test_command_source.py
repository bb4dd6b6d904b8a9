import os
import shlex
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from edge.audio.command import CommandSource
from edge.audio.errors import (
    AudioFormatError,
    AudioSettingsError,
    CommandFailedError,
    CommandNotFoundError,
    EmptyAudioError,
)

SILENCE_FOREVER = ["sh", "-c", 'echo $$ > "$0"; exec cat /dev/zero']


def listen(*args, **options):
    return np.concatenate(list(CommandSource(*args, **options).blocks()))


def count_descriptors():
    return len(list(Path("/proc/self/fd").iterdir()))


def shell(script, *args):
    return ["sh", "-c", script, *map(str, args)]


def is_running(group):
    """Whether any process of the group is left, a zombie included."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def group_is_alive(group):
    """Whether any process of the group still runs; orphans that are dead and not yet reaped do not count."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _parent, its_group = stat.read_text().rpartition(")")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(its_group) == group and state not in "ZX":
            return True
    return False


def wait_until_gone(group, timeout_s=5.0):
    deadline = time.monotonic() + timeout_s
    while group_is_alive(group) and time.monotonic() < deadline:
        os.sched_yield()
    return not group_is_alive(group)


@pytest.fixture
def raw(tmp_path):
    samples = np.round(np.random.default_rng(4).uniform(-20_000, 20_000, 40_000)).astype("<i2")
    path = tmp_path / "noise with space.raw"
    path.write_bytes(samples.tobytes())
    return path, samples.astype(np.float32) / 32_768


@pytest.mark.parametrize("as_string", [True, False])
def test_command_source_when_program_ends_well_then_all_its_sound_was_heard(raw, as_string):
    path, expected = raw
    command = ["cat", str(path)]

    np.testing.assert_array_equal(listen(shlex.join(command) if as_string else command), expected)


def test_command_source_when_program_writes_wav_then_its_own_rate_is_taken(tmp_path):
    path = tmp_path / "tone.wav"
    soundfile.write(
        path, 0.5 * np.sin(2 * np.pi * 440 * np.arange(96_000) / 48_000)[:, None].repeat(2, 1), 48_000
    )

    block = listen(["cat", str(path)])

    assert block.size == 32_000
    assert np.abs(np.fft.rfft(block)).argmax() == 880


def test_command_source_when_program_talks_much_on_stderr_then_it_is_not_held_up(raw):
    path, expected = raw
    chatter = (
        'i=0; while [ $i -lt 3000 ]; do echo "overrun number $i of many in this test" >&2; i=$((i+1)); done'
    )

    np.testing.assert_array_equal(listen(shell(f'{chatter}; cat "$0"', path)), expected)


def test_command_source_when_stderr_ends_first_then_sound_goes_on(raw):
    path, expected = raw

    np.testing.assert_array_equal(listen(shell('exec 2>&-; cat "$0"', path)), expected)


def test_command_source_when_program_fails_then_error_has_its_last_words():
    script = "for i in 1 2 3 4 5 6 7; do echo line $i >&2; done; printf 'no card' >&2; exit 3"

    with pytest.raises(CommandFailedError) as caught:
        listen(shell(script))
    message = str(caught.value)
    assert caught.value.exit_code == 69
    assert "ended with status 3" in message
    assert "it said: line 4 | line 5 | line 6 | line 7 | no card); run it on its own" in message
    assert "\n" not in message


def test_command_source_when_program_fails_behind_some_sound_then_sound_first_and_error_then(raw):
    path, _ = raw
    blocks = CommandSource(shell('cat "$0"; exit 1', path)).blocks()

    assert next(blocks).size > 0
    with pytest.raises(CommandFailedError, match="status 1 and said nothing"):
        list(blocks)


def test_command_source_when_program_is_killed_then_error_names_the_signal():
    with pytest.raises(CommandFailedError, match="ended by SIGKILL"):
        listen(shell("kill -9 $$"))


@pytest.mark.parametrize("command", ["no-such-program-here -f S16_LE", ["/etc/passwd"], ["/"]])
def test_command_source_when_program_cannot_run_then_error_69_says_what_to_install(command):
    with pytest.raises(CommandNotFoundError, match="install") as caught:
        listen(command)
    assert caught.value.exit_code == 69


def test_command_source_when_program_writes_nothing_then_empty_error():
    with pytest.raises(EmptyAudioError, match="the command `true` ended without any sound"):
        listen("true")


def test_command_source_when_program_writes_flac_then_format_error_and_it_is_ended(tmp_path):
    with pytest.raises(AudioFormatError, match="is FLAC"):
        listen(shell('echo $$ > "$0"; printf fLaC; exec cat /dev/zero', tmp_path / "pid"))

    assert wait_until_gone(int((tmp_path / "pid").read_text()))


@pytest.mark.parametrize(
    ("command", "words"), [("", "is empty"), ([], "is empty"), ("cat 'x", "split"), ("a | b", "no shell")]
)
def test_command_source_when_command_makes_no_sense_then_usage_error(command, words):
    with pytest.raises(AudioSettingsError, match=words) as caught:
        CommandSource(command)
    assert caught.value.exit_code == 64


def test_command_source_when_program_never_ends_then_close_ends_it(tmp_path):
    source = CommandSource([*SILENCE_FOREVER, str(tmp_path / "pid")])
    heard = threading.Event()

    def consume():
        for _ in source.blocks():
            heard.set()

    thread = threading.Thread(target=consume)
    thread.start()
    assert heard.wait(10)
    start = time.monotonic()
    source.close()
    thread.join(10)

    assert time.monotonic() - start < 0.8
    assert not thread.is_alive()
    assert not is_running(int((tmp_path / "pid").read_text()))


def test_command_source_when_program_is_silent_then_close_ends_the_wait(tmp_path):
    os.mkfifo(tmp_path / "started")
    source = CommandSource(shell('echo > "$0"; exec cat "$0"', tmp_path / "started"))
    blocks = []
    thread = threading.Thread(target=lambda: blocks.extend(source.blocks()))
    thread.start()
    (tmp_path / "started").read_bytes()
    start = time.monotonic()
    source.close()
    thread.join(10)

    assert time.monotonic() - start < 0.8
    assert not thread.is_alive()
    assert blocks == []


def test_command_source_when_program_ignores_sigterm_then_close_kills_it(tmp_path):
    source = CommandSource(shell('trap "" TERM; echo $$ > "$0"; cat /dev/zero', tmp_path / "pid"))
    next(source.blocks())
    start = time.monotonic()
    source.close()

    assert time.monotonic() - start < 0.8
    assert wait_until_gone(int((tmp_path / "pid").read_text()))


def test_command_source_when_command_is_a_pipeline_then_close_ends_all_of_it(tmp_path):
    source = CommandSource(shell('echo $$ > "$0"; cat /dev/zero | cat', tmp_path / "pid"))
    next(source.blocks())
    source.close()

    assert wait_until_gone(int((tmp_path / "pid").read_text()))


def test_command_source_when_closed_in_a_signal_handler_then_ends():
    source = CommandSource("cat /dev/zero")
    before = signal.signal(signal.SIGALRM, lambda *_: source.close())
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        for block in source.blocks():
            assert block.size
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_command_source_when_closed_before_it_began_then_nothing_runs(tmp_path):
    source = CommandSource([*SILENCE_FOREVER, str(tmp_path / "pid")])
    source.close()
    source.close()

    assert list(source.blocks()) == []
    assert not (tmp_path / "pid").exists()


def test_command_source_when_its_iterator_is_dropped_then_program_ends(tmp_path):
    blocks = CommandSource([*SILENCE_FOREVER, str(tmp_path / "pid")]).blocks()
    next(blocks)
    blocks.close()

    assert not is_running(int((tmp_path / "pid").read_text()))


def test_command_source_when_run_many_times_then_no_descriptor_leaks(raw):
    path, _ = raw
    before = count_descriptors()
    for _ in range(10):
        listen(["cat", str(path)])
        with pytest.raises(CommandNotFoundError):
            listen("no-such-program-here")
        source = CommandSource("cat /dev/zero")
        next(source.blocks())
        source.close()

    assert count_descriptors() == before


def test_command_source_when_it_runs_then_program_gets_no_standard_input():
    read_stdin = "import sys; sys.stdout.buffer.write(bytes(64) + sys.stdin.buffer.read())"

    assert listen([sys.executable, "-c", read_stdin]).size == 32
