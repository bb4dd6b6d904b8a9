"""A microphone that breaks and comes back: PortAudio and ALSA are real, only the card is a named pipe."""

import json

import pytest

# To unplug is to write nothing any more and to take the device out of ALSA's configuration.
SETUP = """
import json, logging, os, sys, threading, time
from pathlib import Path
import numpy as np
from edge.audio.errors import AudioError
from edge.audio.settings import AudioSettings
from edge.audio.supervisor import Condition, SupervisedSource
logging.basicConfig(format="%(message)s", level=logging.WARNING)
pipe, config = os.open(sys.argv[1], os.O_RDWR), Path(os.environ["ALSA_CONFIG_PATH"])
there = config.read_text()
away = there.splitlines()[0] + "\\n"
noise = np.random.default_rng(1).integers(1, 9_000, 2 * 960).astype("<i2").tobytes()
zeros = bytes(len(noise))
feeding, sound, told, heard = threading.Event(), noise, [], 0
came = threading.Condition()

def feed():
    while True:
        feeding.wait()
        os.write(pipe, sound)

def plug(text, present):
    fresh = config.with_suffix(".new")
    fresh.write_text(text)
    os.replace(fresh, config)
    feeding.set() if present else feeding.clear()

def note(condition, why):
    with came:
        told.append((condition, why, time.monotonic()))
        came.notify_all()

def listen():
    global heard, ended
    try:
        for block in source.blocks():
            with came:
                heard += block.size
                came.notify_all()
    except AudioError as error:
        ended = error

def wait_for(happened):
    with came:
        assert came.wait_for(happened, 40), (told, heard)

def wait_for_sound(seconds):
    goal = heard + 16_000 * seconds
    wait_for(lambda: heard >= goal)

def count():
    return len(list(Path("/proc/self/fd").iterdir())), len(list(Path("/proc/self/task").iterdir()))

threading.Thread(target=feed, daemon=True).start()
feeding.set()
source = SupervisedSource(AudioSettings(device="fakemic", device_rate=48_000), note, first_retry_s=0.2)
listening = threading.Thread(target=listen, daemon=True)
listening.start()
wait_for_sound(1)
"""


@pytest.fixture
def listen(fake_microphone, run_python):
    """Runs a program while a supervised microphone is heard, and gives the JSON that it prints."""
    pipe, env = fake_microphone

    def run(code, timeout=60):
        # No farewell: the thread that listens may stand within ALSA.
        end = "\nsys.stdout.flush()\nos._exit(0)\n"
        result = run_python(SETUP + code + end, pipe, env=env, timeout=timeout)
        assert result.returncode == 0, result.stderr.decode()
        return json.loads(result.stdout)

    return run


UNPLUG = """
counts = []
for _ in range({times}):
    plug(away, False)
    since = time.monotonic()
    wait_for(lambda: told and told[-1][0] is Condition.LOST)
    plug(there, True)
    wait_for(lambda: told[-1][0] is Condition.OK)
    wait_for_sound(6)
    counts.append(count())
print(json.dumps([[c for c, _, _ in told], told[1][2] - since if {times} == 1 else 0, counts, told[2][1]]))
"""


def test_microphone_when_unplugged_then_told_and_found_again_by_its_name(listen):
    conditions, told_after_s, _, why = listen(UNPLUG.format(times=1))

    assert conditions == ["ok", "silent", "lost", "ok"]
    # What ALSA had read ahead is heard first; the rest is for a busy machine.
    assert told_after_s < 4.0
    assert "fakemic" in why or "no input device" in why


@pytest.mark.parametrize(
    "times", [3, pytest.param(100, marks=[pytest.mark.endurance, pytest.mark.timeout(1800)])]
)
def test_microphone_when_unplugged_again_and_again_then_nothing_leaks(listen, times):
    conditions, _, counts, _ = listen(UNPLUG.format(times=times), timeout=60 + 15 * times)

    assert conditions.count("ok") == 1 + times
    # The first time may load what stays; none of the later ones may add to it.
    assert counts[-1] == counts[0]


def test_microphone_when_it_gives_zeros_for_10_s_then_told_and_heard_again(listen):
    conditions, reopened = listen("""
sound = zeros
wait_for(lambda: told and told[-1][0] is Condition.ZEROS)
# The card is read as fast as it is written to: ten seconds are soon over.
time.sleep(1.0)
sound = noise
wait_for(lambda: told[-1][0] is Condition.OK)
wait_for_sound(2)
print(json.dumps([[c for c, _, _ in told], source.reopened]))
""")

    assert conditions == ["ok", "zeros", "ok"]
    assert reopened >= 1


def test_microphone_when_muted_then_the_device_is_closed(listen):
    fds = listen("""
def opened():
    links = [Path("/proc/self/fd") / name for name in os.listdir("/proc/self/fd")]
    return [os.readlink(link) for link in links if link.exists()].count(sys.argv[1])
before = opened()
source.mute(True)
wait_for(lambda: told and told[-1][0] is Condition.MUTED)
muted = opened()
source.mute(False)
wait_for(lambda: told[-1][0] is Condition.OK)
print(json.dumps([before, muted, opened()]))
""")

    assert fds[0] > fds[1]
    assert fds[2] == fds[0]


# To keep trying is no use here: the driver waits in the empty pipe, and PortAudio with it.
@pytest.mark.parametrize("keep_trying", [False, True])
def test_microphone_when_it_does_not_come_back_and_its_driver_hangs_then_the_listener_ends_with_69(
    keep_trying, fake_microphone, run_python
):
    pipe, env = fake_microphone
    settings = f"device_rate=48_000, reopen_s=2.0), note, keep_trying={keep_trying}"
    code = SETUP.replace("device_rate=48_000), note", settings)
    end = "\nplug(away, False)\nlistening.join(50)\nprint(type(ended).__name__, ended.exit_code)\n"
    result = run_python(code + end + "sys.stdout.flush()\nos._exit(0)\n", pipe, env=env)

    assert result.stdout.decode().strip() == "SourceLostError 69", result.stderr.decode()
