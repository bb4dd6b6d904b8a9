"""PortAudio and ALSA are real here; only the card is a named pipe."""

import json
import re
from pathlib import Path

import pytest

# The named pipe is held open for both directions, so that neither ALSA nor this program waits for the other
# to open it. What a test does with them follows.
SETUP = """
import fcntl, json, logging, os, sys, threading, time
import numpy as np
from edge.audio.errors import AudioError
from edge.audio.microphone import MicrophoneSource
logging.basicConfig(format="%(message)s", level=logging.WARNING)
pipe = os.open(sys.argv[1], os.O_RDWR)

def tones(rate, seconds, hertz):
    time = np.arange(round(rate * seconds)) / rate
    frames = np.stack([0.5 * np.sin(2 * np.pi * f * time) for f in hertz], axis=1)
    return np.round(frames * 32_767).astype("<i2").tobytes()

def feed(data, rate=48_000):
    # One write for each of ALSA's reads: it takes a short read for a whole one.
    size = rate // 50 * 4
    for start in range(0, len(data), size):
        os.write(pipe, data[start:start + size])

def feed_for_ever(data, rate=48_000):
    # The first seconds lie ready before anybody reads: a writer that is late on a busy machine would leave
    # ALSA with a short read.
    fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 1 << 20)
    for _ in range((900 << 10) // len(data)):
        feed(data, rate)
    def run():
        while True:
            feed(data, rate)
    threading.Thread(target=run, daemon=True).start()

def take(blocks, n_samples):
    got = [next(blocks)]
    while sum(block.size for block in got) < n_samples:
        got.append(next(blocks))
    return np.concatenate(got)[:n_samples]
"""


@pytest.fixture
def listen(fake_microphone, run_python):
    """Runs a program against the fake microphone and gives the JSON that it prints, and its stderr."""
    pipe, env = fake_microphone

    def run(code):
        result = run_python(SETUP + code, pipe, env=env)
        assert result.returncode == 0, result.stderr.decode()
        return json.loads(result.stdout), result.stderr.decode()

    return run


@pytest.mark.parametrize("rate", [None, 16_000, 48_000])
def test_microphone_when_stereo_then_its_samples_arrive_mixed_at_16_khz(listen, rate):
    heard, stderr = listen(f"""
rate = {rate}
source = MicrophoneSource(device="FAKE", rate=rate, buffer_s=60)
feed_for_ever(tones(rate or 44_100, 1.0, (440, 1_000)), rate or 44_100)
block = take(source.blocks(), 36_000)[4_000:]
source.close()
spectrum = np.abs(np.fft.rfft(block)) / 16_000
peaks = np.sort(spectrum.argsort()[-2:]).tolist()
print(json.dumps([str(block.dtype), *peaks, *np.sort(spectrum)[-3:].tolist(), source.dropped_samples]))
""")

    dtype, low, high, rest, lower, upper, dropped = heard
    assert dtype == "float32"
    assert (low, high) == (880, 2_000)
    assert lower == pytest.approx(0.25, rel=0.02)
    assert upper == pytest.approx(0.25, rel=0.02)
    assert rest < 0.01
    assert dropped == 0
    assert stderr == ""


def test_microphone_when_a_channel_is_chosen_then_only_it_is_heard(listen):
    peak, _ = listen("""
source = MicrophoneSource(channel=1, rate=48_000, buffer_s=60)
feed_for_ever(tones(48_000, 1.0, (440, 1_000)))
block = take(source.blocks(), 16_000)
source.close()
print(int(np.abs(np.fft.rfft(block)).argmax()))
""")

    assert peak == 1_000


def test_microphone_when_consumer_is_slow_then_the_oldest_is_dropped_and_the_rest_is_heard(listen):
    (fed, heard, dropped, first_peak), stderr = listen("""
source = MicrophoneSource(device="fakemic", rate=48_000, buffer_s=0.5)
blocks = source.blocks()
sound = tones(48_000, 2.0, (440, 440)) + tones(48_000, 1.0, (1_000, 1_000))
starting = threading.Thread(target=feed, args=(sound[:38_400],))
starting.start()
heard = next(blocks).size
starting.join()
feed(sound[38_400:])
newest = take(blocks, 6_000)
heard += newest.size
# What neither came nor was counted would be waited for until the microphone counts as gone.
while heard + source.dropped_samples < 0.97 * 48_000:
    heard += next(blocks).size
peak = np.abs(np.fft.rfft(newest[1_500:], 16_000)).argmax()
print(json.dumps([48_000, heard, source.dropped_samples, int(peak)]))
source.close()
""")

    assert 30_000 < dropped < 41_000
    assert heard + dropped <= fed
    assert first_peak == 1_000
    (said_s,) = re.findall(r"([\d.]+) s of sound dropped so far because it was not read in time", stderr)
    assert 0.0 < float(said_s) <= round(dropped / 16_000, 2)


def test_microphone_when_sound_is_dropped_again_and_again_then_said_once_a_minute_with_the_sum(listen):
    dropped_s, stderr = listen("""
clock, ahead_s = time.monotonic, 0.0
time.monotonic = lambda: clock() + ahead_s
source = MicrophoneSource(device="fakemic", rate=48_000, buffer_s=0.1)
blocks = source.blocks()
starting = threading.Thread(target=feed, args=(tones(48_000, 0.2, (440, 440)),))
starting.start()
next(blocks)
starting.join()
for ahead_s in (0.0, 59.0, 61.0):
    feed(tones(48_000, 1.0, (440, 440)))
    next(blocks)
    print(f"{ahead_s:g} s on", file=sys.stderr)
print(json.dumps(source.dropped_samples / 16_000))
source.close()
""")

    first, within_the_minute, after_it, _ = re.split(r".* s on\n", stderr)
    assert first.count("dropped so far") == after_it.count("dropped so far") == 1
    assert within_the_minute == ""
    early_s, late_s = (float(found) for found in re.findall(r"([\d.]+) s of sound dropped", stderr))
    assert 0.0 < early_s < 1.2  # of what was fed by then
    assert 2.0 < late_s <= round(dropped_s, 2)


def test_microphone_when_nothing_comes_any_more_then_stalled_error_within_2_s(listen):
    (kind, exit_code, message, waited_s), _ = listen("""
source = MicrophoneSource(device="fakemic", rate=48_000)
threading.Thread(target=feed, args=(tones(48_000, 0.3, (440, 440)),)).start()
last = None
try:
    for block in source.blocks():
        last = time.monotonic()
except AudioError as error:
    print(json.dumps([type(error).__name__, error.exit_code, str(error), time.monotonic() - last]))
""")

    assert (kind, exit_code) == ("DeviceStalledError", 69)
    assert "'fakemic' has delivered nothing for 1.2 s; plug it in again" in message
    # 1.2 s, a look every 0.25 s, 0.4 s for a driver that hangs; the rest is for a busy machine.
    assert 1.2 <= waited_s < 3.0


def test_microphone_when_closed_from_another_thread_while_waiting_then_ends_at_once(listen):
    (took_s, alive), _ = listen("""
source = MicrophoneSource(device="fakemic", rate=48_000)
heard = threading.Event()
def consume():
    for block in source.blocks():
        heard.set()
thread = threading.Thread(target=consume)
thread.start()
feed(tones(48_000, 0.2, (440, 440)))
assert heard.wait(20)
start = time.monotonic()
source.close()
thread.join(20)
print(json.dumps([time.monotonic() - start, thread.is_alive()]))
""")

    assert took_s < 0.8
    assert not alive


def test_microphone_when_opened_again_and_again_then_it_hears_and_leaks_nothing(listen):
    counts, _ = listen("""
counts = []
feed_for_ever(tones(48_000, 1.0, (440, 440)))
for _ in range(6):
    source = MicrophoneSource(device="fakemic", rate=48_000)
    take(source.blocks(), 3_000)
    source.close()
    counts.append(len(os.listdir("/proc/self/fd")))
print(json.dumps(counts))
""")

    assert counts == counts[:1] * 6


@pytest.mark.parametrize(
    ("options", "kind", "exit_code", "words"),
    [
        ({"device": "webcam"}, "UnknownDeviceError", 66, "present are: 'fakemic'"),
        ({"channel": 200}, "AudioSettingsError", 64, "there is no channel 200: 'fakemic' has 128"),
        ({"rate": 1}, "DeviceOpenError", 69, "does not open (1 Hz, 2 channels"),
    ],
    ids=["unknown", "channel", "rate"],
)
def test_microphone_when_it_cannot_be_opened_then_error_says_why(listen, options, kind, exit_code, words):
    got, _ = listen(f"""
try:
    next(MicrophoneSource(**{options!r}).blocks())
except AudioError as error:
    print(json.dumps([type(error).__name__, error.exit_code, str(error)]))
""")

    assert got[:2] == [kind, exit_code]
    assert words in got[2]


def test_microphone_when_machine_has_none_then_error_69_with_a_remedy(alsa_config, run_python):
    cards = Path("/proc/asound/cards")
    if cards.exists() and "no soundcards" not in cards.read_text():
        pytest.skip("this machine has a sound card")
    result = run_python(
        """
        import sys
        from edge.audio.errors import NoInputDeviceError
        from edge.audio.microphone import MicrophoneSource
        try:
            next(MicrophoneSource().blocks())
        except NoInputDeviceError as error:
            print(error)
            sys.exit(error.exit_code)
        """,
        env=alsa_config(""),
    )

    assert result.returncode == 69
    assert b"there is no input device; plug in a microphone" in result.stdout
    assert result.stderr == b""


def test_microphone_when_closed_before_it_began_then_gives_nothing(listen):
    n_blocks, _ = listen("""
source = MicrophoneSource(device="fakemic")
source.close()
source.close()
print(len(list(source.blocks())))
""")

    assert n_blocks == 0
