"""`affectd run` as a process, a real Mosquitto, and mosquitto_sub: from speech to what a subscriber gets."""

import signal

import msgspec
import numpy as np
import pytest
import soundfile
import soxr
from support.brokers import Wire
from support.mosquitto_sub import MosquittoSub
from support.processes import files_open_for_writing
from support.programs import Program, affectd
from support.sound import DEMO_SPEECH, RATE, heard, pcm, silence
from support.subscriber import Subscriber

from edge.audio.files import read_file
from edge.inference.recognizer import Recognizer, TurnResult
from edge.mqtt.messages import NONE, UNCERTAIN, Turn


def turns_offline(model, samples):
    """The turns of the same samples, recognised here and in one piece."""
    recognizer = Recognizer(model)
    events = [*recognizer.push(samples), *recognizer.flush()]
    return [event for event in events if isinstance(event, TurnResult)]


def assert_same(turns, offline):
    assert [turn.emotion for turn in turns] == [one.answer.emotion for one in offline]
    for turn, one in zip(turns, offline, strict=True):
        assert turn.duration == pytest.approx((one.end - one.start) / RATE, abs=1e-4)
        assert turn.probabilities == pytest.approx(one.answer.probabilities, abs=5.1e-5)
        assert turn.snr_db == pytest.approx(one.snr_db, abs=5.1e-5)


@pytest.mark.corpora
def test_run_when_fed_with_ravdess_clips_then_mosquitto_sub_gets_their_turns_and_offline_on_sigkill(
    ravdess, model, subscriber, to_broker
):
    sound = b"".join(pcm(read_file(clip)) + silence(1.5) for clip in ravdess)
    expected = turns_offline(model, heard(sound))
    assert len(expected) >= len(ravdess)

    with Program("run", *to_broker, "--source", "stdin") as daemon:
        subscriber.wait_online()
        daemon.say(sound)
        turns = subscriber.wait_for_turns(len(expected))
        subscriber.wait_for_state(turns[-1].emotion)
        daemon.process.send_signal(signal.SIGKILL)
        subscriber.wait_offline()

    assert_same(turns, expected)
    for turn in turns:
        assert set(turn.probabilities) == set(model.card.labels)
        assert turn.emotion in {*model.card.labels, UNCERTAIN}
        assert turn.model == model.card.name
        assert turn.model_sha256 == model.card.flatbuffer_sha256
        assert turn.started < turn.ended
    assert len({turn.id for turn in turns}) == len(turns)
    assert {message.kind for message in subscriber.messages} - {"health"} == {"availability", "state", "turn"}


def test_run_when_a_dashboard_comes_later_then_it_learns_availability_and_state_but_no_old_turn(
    speech, mosquitto, device, subscriber, to_broker
):
    with Program("run", *to_broker, "--source", "stdin") as daemon:
        subscriber.wait_online()
        daemon.say(speech)
        turns = subscriber.wait_for_turns(8)
        subscriber.wait_for_state(turns[-1].emotion)
        with MosquittoSub(mosquitto.port, device) as late:
            late.wait_online()
            late.wait_for(lambda line: "/state" in line)
            found = {
                (message.kind, message.retained) for message in late.messages if message.kind != "health"
            }
            assert found == {("availability", True), ("state", True)}


def test_run_when_a_file_is_read_at_full_speed_then_every_turn_arrives_and_it_ends_with_0(
    model, subscriber, to_broker
):
    with Program("run", *to_broker, "--file", DEMO_SPEECH, "--log-level", "warning") as daemon:
        assert daemon.wait() == 0
        subscriber.wait_offline()

    assert daemon.lines == []
    assert len(subscriber.turns) == 8
    assert_same(subscriber.turns, turns_offline(model, read_file(DEMO_SPEECH)))
    assert subscriber.states[-1].emotion == subscriber.turns[-1].emotion


@pytest.mark.parametrize("rate", [8_000, 48_000])
def test_run_when_a_command_writes_wav_of_another_rate_then_its_turns_arrive(
    rate, model, subscriber, to_broker, tmp_path
):
    clip = read_file(DEMO_SPEECH)[: 10 * RATE]
    samples = soxr.resample(np.repeat(clip[:, None], 2, axis=1), RATE, rate)
    soundfile.write(tmp_path / "clip.wav", samples, rate)
    command = f"cat '{tmp_path / 'clip.wav'}'"

    assert affectd("run", *to_broker, "--command", command).returncode == 0
    subscriber.wait_offline()
    assert len(subscriber.turns) == len(turns_offline(model, clip)) >= 2


def test_run_when_the_broker_comes_late_then_what_was_heard_before_and_after_arrives_in_order(
    speech, model, mosquitto, device
):
    half = len(speech) // 4 * 2
    topic = f"affectd/{device}/turn"
    with Wire(mosquitto.port) as wire, Subscriber(mosquitto.port, topic) as live:
        address = ["--host", "127.0.0.1", "--port", wire.port]
        with Program("run", "--no-config", *address, "--device-id", device, "--source", "stdin") as daemon:
            daemon.wait_for("nothing listens there")
            daemon.say(speech[:half])
            daemon.wait_for("turn: ")
            wire.open()
            daemon.say(speech[half:])
            turns = [msgspec.json.decode(live.wait_for(topic).payload, type=Turn) for _ in range(8)]
            assert daemon.signal(signal.SIGTERM)[0] == 0

    assert_same(turns, turns_offline(model, heard(speech)))
    assert sum("nothing listens there" in line for line in daemon.lines) == 1


@pytest.mark.slow
def test_run_when_the_broker_never_comes_then_says_so_once_and_ends_with_69(deaf_port):
    run = affectd(
        *("run", "--no-config", "--host", "127.0.0.1", "--port", deaf_port, "--file", DEMO_SPEECH),
        *("--log-level", "warning"),
    )

    assert run.returncode == 69
    # A slow disk may have its own line between these.
    assert run.stderr.count("nothing listens there; start the broker, or check host and port") == 1
    assert "8 turns were not delivered" in run.stderr.splitlines()[-1]


def test_run_when_nothing_is_said_for_none_after_s_of_sound_then_the_emotion_is_none_again(
    subscriber, to_broker, tmp_path
):
    config = tmp_path / "affectd.toml"
    config.write_text("[turns]\nnone_after_s = 2.0\n")
    to_broker = ["--config", str(config), *to_broker[1:]]
    utterance = pcm(read_file(DEMO_SPEECH)[: 5 * RATE])
    with Program("run", *to_broker, "--source", "stdin") as daemon:
        daemon.say(utterance + silence(1.0))
        emotion = subscriber.wait_for_turns(1)[0].emotion
        subscriber.wait_for_state(emotion)
        daemon.say(silence(2.0))
        subscriber.wait_for_state(NONE)
        daemon.end_input()
        assert daemon.wait() == 0
    assert emotion != NONE
    assert subscriber.states[-1].confidence is None


def test_run_when_it_has_listened_then_no_sound_is_on_disk(speech, subscriber, to_broker, tmp_path):
    places = {"HOME": "home", "TMPDIR": "tmp", "XDG_CACHE_HOME": "cache", "XDG_STATE_HOME": "state"}
    for name in (*places.values(), "work"):
        (tmp_path / name).mkdir()
    env = {variable: str(tmp_path / name) for variable, name in places.items()}
    with Program("run", *to_broker, "--source", "stdin", env=env, cwd=tmp_path / "work") as daemon:
        daemon.say(speech)
        subscriber.wait_for_turns(8)
        open_files = files_open_for_writing(daemon.process.pid)
        daemon.signal(signal.SIGTERM)

    outbox = tmp_path / "state" / "affectd"
    written = [path for path in tmp_path.rglob("*") if not path.is_dir()]
    assert {path.parent for path in (*open_files, *written)} <= {outbox}
    # The turns alone would take a twentieth of it, the sound that they were said in twenty times as much.
    assert sum(path.stat().st_size for path in written) < 65_536
