"""Sources that fail and come back: real programs, real pipes."""

import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from edge.audio.errors import AudioError, AudioFormatError, CommandFailedError, SourceLostError
from edge.audio.settings import AudioSettings, SourceKind
from edge.audio.supervisor import Condition, SupervisedSource

SECOND = 32_000
"""Bytes"""


@pytest.fixture
def noise(tmp_path):
    """A second of sound in a file, and its samples."""
    samples = np.round(np.random.default_rng(4).uniform(-20_000, 20_000, 16_000)).astype("<i2")
    samples[samples == 0] = 1
    path = tmp_path / "noise.raw"
    path.write_bytes(samples.tobytes())
    return path, samples.astype(np.float32) / 32_768


class Listener:
    """Hears a command that is supervised, and remembers what it was told."""

    def __init__(self, script, *arguments, muted=False, keep_trying=False, first_retry_s=0.05, **settings):
        command = ["sh", "-c", script, *map(str, arguments)]
        self.told = []
        self.heard = []
        self.error = None
        self._came = threading.Condition()
        self.source = SupervisedSource(
            AudioSettings(source=SourceKind.COMMAND, command=command, **settings),
            self._note,
            first_retry_s=first_retry_s,
            muted=muted,
            keep_trying=keep_trying,
        )
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.source.close()
        self._thread.join(20)
        assert not self._thread.is_alive()

    def _note(self, condition, why):
        with self._came:
            self.told.append((condition, why, time.monotonic()))
            self._came.notify_all()

    def _run(self):
        try:
            for block in self.source.blocks():
                with self._came:
                    self.heard.append(block)
                    self._came.notify_all()
        except AudioError as error:
            self.error = error

    def run(self):
        """Until the source ends by itself."""
        self._thread.start()
        self._thread.join(50)
        assert not self._thread.is_alive()
        return self

    def wait_for(self, happened):
        with self._came:
            assert self._came.wait_for(happened, 30), (self.told, len(self.heard))

    @property
    def conditions(self):
        return [condition for condition, _, _ in self.told]

    @property
    def samples(self):
        return np.concatenate(self.heard) if self.heard else np.zeros(0, np.float32)


def test_supervisor_when_a_program_fails_and_works_again_then_all_its_sound_is_heard(noise, tmp_path):
    path, samples = noise
    # It fails twice behind its sound, and ends well the third time.
    script = 'cat "$0"; echo x >> "$1"; [ $(wc -l < "$1") -eq 3 ] || { echo unplugged >&2; exit 1; }'
    listener = Listener(script, path, tmp_path / "runs").run()

    np.testing.assert_array_equal(listener.samples, np.tile(samples, 3))
    assert listener.conditions == [Condition.OK, *[Condition.LOST, Condition.OK] * 2]
    assert "it said: unplugged" in listener.told[1][1]
    assert listener.source.reopened == 2
    assert listener.error is None


def test_supervisor_when_a_program_hangs_then_told_within_2_s_and_it_runs_anew(noise, tmp_path):
    path, _ = noise
    script = 'echo $$ >> "$1"; cat "$0"; [ $(wc -l < "$1") -eq 2 ] || exec sleep 1000'
    listener = Listener(script, path, tmp_path / "pids")
    with listener:
        listener.wait_for(lambda: len(listener.samples) == 16_000)
        heard_at = time.monotonic()
        listener.wait_for(lambda: len(listener.samples) == 32_000)

    assert listener.conditions == [Condition.OK, Condition.SILENT, Condition.OK]
    assert "has written nothing for 1.5 s" in listener.told[1][1]
    assert listener.told[1][2] - heard_at < 2.0
    first = int((tmp_path / "pids").read_text().split()[0])
    assert not Path(f"/proc/{first}").exists()


def test_supervisor_when_a_program_never_worked_then_its_error_is_raised_at_once():
    listener = Listener("exit 3").run()

    assert isinstance(listener.error, CommandFailedError)
    assert listener.conditions == []
    assert listener.source.condition is Condition.LOST
    assert listener.source.why == str(listener.error)
    assert listener.source.reopened == 0


def test_supervisor_when_nothing_was_heard_yet_then_no_condition_is_claimed(noise, tmp_path):
    path, _ = noise
    go = tmp_path / "go"
    listener = Listener('while ! [ -e "$1" ]; do sleep 0.05; done; cat "$0"', path, go)
    with listener:
        assert listener.source.condition is None
        go.touch()
        listener.wait_for(lambda: listener.heard)

    assert listener.conditions == [Condition.OK]


def test_supervisor_when_it_keeps_trying_then_neither_a_bad_start_nor_a_long_loss_ends_it(noise, tmp_path):
    path, samples = noise
    script = 'mv "$1" "$1.taken" 2>&- || exit 3; cat "$0"; exit 3'
    plugged = tmp_path / "plugged"
    listener = Listener(script, path, plugged, keep_trying=True, reopen_s=1.0)
    with listener:
        listener.wait_for(lambda: listener.conditions == [Condition.LOST])
        plugged.touch()
        listener.wait_for(lambda: listener.conditions == [Condition.LOST, Condition.OK, Condition.LOST])
        time.sleep(2.0)
        plugged.touch()
        listener.wait_for(lambda: len(listener.samples) == 2 * len(samples))

    assert listener.error is None
    assert listener.conditions[:4] == [Condition.LOST, Condition.OK] * 2


def test_supervisor_when_it_stays_away_then_lost_error_69_within_the_configured_time(noise, tmp_path):
    path, samples = noise
    start = time.monotonic()
    listener = Listener('cat "$0" && rm "$0"; exit 1', path, reopen_s=1.0).run()

    np.testing.assert_array_equal(listener.samples, samples)
    assert isinstance(listener.error, SourceLostError)
    assert listener.error.exit_code == 69
    assert "so this process ends: the command" in str(listener.error)
    assert 1.0 < time.monotonic() - start < 10.0
    assert listener.conditions == [Condition.OK, Condition.LOST]


def test_supervisor_when_it_has_kept_trying_for_hours_then_it_ends_for_a_fresh_process(monkeypatch):
    monkeypatch.setattr("edge.audio.supervisor._FRESH_S", 1.5)
    start = time.monotonic()
    listener = Listener("exit 1", keep_trying=True, reopen_s=1.0).run()

    assert isinstance(listener.error, SourceLostError)
    assert time.monotonic() - start > 1.5
    assert listener.source.condition is Condition.LOST


def test_supervisor_when_a_program_prints_a_message_then_it_is_not_taken_for_sound():
    message = "Usage: arecord [OPTION]... [FILE]..."
    listener = Listener(f'echo "{message}"; exec cat /dev/zero').run()

    assert isinstance(listener.error, AudioFormatError)
    assert "is text, not sound: 'Usage: arecord [OPTION]" in str(listener.error)
    assert listener.heard == []


def test_supervisor_when_a_program_writes_odd_pieces_then_not_a_sample_is_lost(noise):
    path, samples = noise
    # 33 bytes at a time: every other piece ends within a sample.
    script = f'dd if="$0" bs=33 status=none count={SECOND // 33 + 1} | (sleep 0.1; dd bs=7 status=none)'
    listener = Listener(script, path).run()

    np.testing.assert_array_equal(listener.samples, samples)


def test_supervisor_when_unhurried_then_blocks_are_longer_also_of_a_program_that_runs_anew(noise, tmp_path):
    path, samples = noise
    script = 'cat "$0"; test -e "$1" && exit 0; touch "$1"; exit 3'
    listener = Listener(script, path, tmp_path / "second")
    listener.source.unhurried = True
    listener.run()

    assert listener.source.reopened == 1
    np.testing.assert_array_equal(listener.samples, np.tile(samples, 2))
    assert max(map(len, listener.heard[: len(listener.heard) // 2])) == 3 * 1024
    assert max(map(len, listener.heard[len(listener.heard) // 2 :])) == 3 * 1024


def test_supervisor_when_a_program_gives_zeros_then_told_and_nothing_behind_them_is_lost(noise):
    path, samples = noise
    script = f'cat "$0"; head -c {10 * SECOND} /dev/zero; cat "$0"'
    listener = Listener(script, path).run()

    assert listener.conditions == [Condition.OK, Condition.ZEROS, Condition.OK]
    assert listener.source.reopened == 0
    np.testing.assert_array_equal(listener.samples[:16_000], samples)
    np.testing.assert_array_equal(listener.samples[-16_000:], samples)
    # Less than two seconds of silence passed for sound before it was told.
    assert 1.0 < (len(listener.samples) - 32_000) / 16_000 < 2.0


def test_supervisor_when_zeros_are_a_reason_then_the_program_runs_anew(noise, tmp_path):
    path, samples = noise
    script = 'echo x >> "$1"; [ $(wc -l < "$1") -lt 3 ] && exec cat /dev/zero; cat "$0"'
    listener = Listener(script, path, tmp_path / "runs", reopen_on_zeros=True).run()

    assert listener.conditions == [Condition.OK, Condition.ZEROS, Condition.OK]
    assert listener.source.reopened == 2
    np.testing.assert_array_equal(listener.samples[-16_000:], samples)


def test_supervisor_when_muted_then_the_program_is_gone_until_unmuted(tmp_path):
    pids = tmp_path / "pids"
    listener = Listener('echo $$ >> "$0"; exec tr "\\000" "\\301" < /dev/zero', pids)
    with listener:
        listener.wait_for(lambda: listener.heard)
        listener.source.mute(True)
        listener.wait_for(lambda: listener.conditions[-1:] == [Condition.MUTED])
        (first,) = pids.read_text().split()
        assert not Path(f"/proc/{first}").exists()
        heard = len(listener.heard)
        time.sleep(0.2)
        assert len(listener.heard) == heard
        listener.source.mute(False)
        listener.wait_for(lambda: listener.conditions[-1:] == [Condition.OK])

    assert listener.conditions == [Condition.OK, Condition.MUTED, Condition.OK]
    assert listener.source.reopened == 0


def test_supervisor_when_it_starts_muted_then_nothing_runs_before_unmuted(tmp_path):
    pids = tmp_path / "pids"
    listener = Listener('echo $$ >> "$0"; exec tr "\\000" "\\301" < /dev/zero', pids, muted=True)
    with listener:
        listener.wait_for(lambda: listener.conditions == [Condition.MUTED])
        assert not pids.exists()
        listener.source.mute(False)
        listener.wait_for(lambda: listener.heard)

    assert listener.conditions == [Condition.MUTED, Condition.OK]


def test_supervisor_when_muted_and_unmuted_again_and_again_then_it_hears_and_leaks_nothing(tmp_path):
    def count():
        return len(list(Path("/proc/self/fd").iterdir())), threading.active_count()

    listener = Listener('exec tr "\\000" "\\301" < /dev/zero')
    with listener:
        listener.wait_for(lambda: listener.heard)
        before = count()
        for _ in range(20):
            listener.source.mute(True)
            listener.source.mute(False)
            heard = len(listener.heard)
            listener.wait_for(lambda heard=heard: len(listener.heard) > heard + 2)
        after = count()

    assert after == before


def test_supervisor_when_muted_and_unmuted_at_once_then_it_does_not_take_it_for_the_end():
    listener = Listener('exec tr "\\000" "\\301" < /dev/zero')
    with listener:
        listener.wait_for(lambda: listener.heard)
        for _ in range(5):
            listener.source.mute(True)
            listener.source.mute(False)
        heard = len(listener.heard)
        listener.wait_for(lambda: len(listener.heard) > heard + 50)


@pytest.mark.parametrize("state", ["muted", "lost"])
def test_supervisor_when_closed_while_it_waits_then_it_ends_at_once(state, noise):
    path, _ = noise
    listener = Listener('cat "$0"; exit 1', path, muted=state == "muted", first_retry_s=30.0)
    with listener:
        listener.wait_for(lambda: listener.conditions[-1:] == [Condition(state)])
        start = time.monotonic()
    assert time.monotonic() - start < 1.0
    assert listener.error is None


def test_supervisor_when_a_file_is_muted_then_its_sound_is_thrown_away(tmp_path):
    path = tmp_path / "noise.wav"
    soundfile.write(path, np.random.default_rng(1).uniform(-0.5, 0.5, 32_000), 16_000)
    told = []
    settings = AudioSettings(source=SourceKind.FILE, path=str(path), block_ms=100)
    source = SupervisedSource(settings, lambda condition, _: told.append(condition))
    heard = []
    for block in source.blocks():
        heard.append(block)
        source.mute(len(heard) == 5)
        if len(heard) > 5:
            break

    assert len(heard) == 5
    assert told == [Condition.OK, Condition.MUTED]


def test_supervisor_when_a_gain_is_set_then_louder_and_clipped(noise):
    path, samples = noise
    listener = Listener('cat "$0"', path, gain_db=20.0).run()

    np.testing.assert_allclose(listener.samples, np.clip(10 * samples, -1, 1), rtol=1e-6)
