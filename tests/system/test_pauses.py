"""A pipe whose writer pauses: two sentences with a gap between them are not one turn."""

import time
from datetime import UTC, datetime

from support.programs import Program
from support.sound import DEMO_SPEECH, RATE, pcm, silence

from edge.audio.files import read_file
from edge.health import SILENT_S
from edge.mqtt.messages import NONE, Microphone

GAP_S = SILENT_S + 1.0


def test_run_when_the_writer_pauses_within_a_turn_then_it_is_closed_and_dated_by_when_it_was_heard(
    speech, subscriber, to_broker
):
    middle = int(3.5 * 2 * RATE)
    with Program("run", *to_broker, "--source", "stdin") as daemon:
        subscriber.wait_online()
        daemon.say(speech[:middle])
        subscriber.wait_for(lambda _line: any(state.speaking for state in subscriber.states))
        paused = datetime.now(UTC)
        time.sleep(GAP_S)
        daemon.say(speech[middle:])
        first, *_ = subscriber.wait_for_turns(2)

    late_s = (datetime.fromisoformat(first.ended) - paused).total_seconds()
    assert late_s < GAP_S / 2
    assert first.duration < middle / (2 * RATE)


def test_run_when_the_writer_goes_on_then_the_microphone_is_no_longer_called_silent(
    subscriber, to_broker, tmp_path
):
    config = tmp_path / "affectd.toml"
    config.write_text(f"[turns]\nnone_after_s = {SILENT_S}\n")
    utterance = pcm(read_file(DEMO_SPEECH)[: 5 * RATE]) + silence(1.0)
    with Program("run", "--config", config, *to_broker[1:], "--source", "stdin") as daemon:
        daemon.say(utterance)
        subscriber.wait_for_turns(1)
        subscriber.wait_for_state(NONE)
        assert subscriber.states[-1].microphone is Microphone.SILENT
        daemon.say(utterance)
        subscriber.wait_for_turns(2)
        daemon.end_input()
        assert daemon.wait() == 0

    silent = max(i for i, state in enumerate(subscriber.states) if state.microphone is Microphone.SILENT)
    assert subscriber.states[silent + 1].emotion == NONE
    assert any(state.speaking for state in subscriber.states[silent + 1 :])
