"""`affectd demo`: what somebody sees who has just installed it."""

import re
import signal
import socket
import sys
from contextlib import ExitStack, suppress
from itertools import pairwise

import numpy as np
import pytest
import soundfile
from support.missing import needs_amqtt
from support.programs import Program
from support.sound import DEMO_SPEECH, RATE

from edge.audio.files import read_file
from edge.inference.recognizer import Recognizer, TurnResult

TURN = re.compile(r"\d\d:\d\d:\d\d  turn   \w+ +\d+%  .*█")


@pytest.fixture
def short_speech(model, tmp_path):
    """The beginnings of five utterances, since the demo plays in real time."""
    whole = read_file(DEMO_SPEECH)
    recognizer = Recognizer(model)
    events = [*recognizer.push(whole), *recognizer.flush()]
    turns = [event for event in events if isinstance(event, TurnResult)]
    parts = [whole[turn.start : turn.start + int(1.3 * RATE)] for turn in turns[:5]]
    pause = np.zeros(int(0.8 * RATE), np.float32)
    path = tmp_path / "short.flac"
    soundfile.write(path, np.concatenate([np.append(part, pause) for part in parts]), RATE)
    return path


@needs_amqtt
@pytest.mark.slow
def test_demo_when_played_to_its_end_then_shows_five_turns_and_how_to_go_on(short_speech):
    code = (
        "import pathlib, sys; from edge.demo import run_demo; sys.exit(run_demo(pathlib.Path(sys.argv[1])))"
    )
    with Program(short_speech, command=[sys.executable, "-c", code]) as demo:
        assert demo.wait() == 0

    turns = [line for line in demo.lines if TURN.match(line)]
    assert len(turns) == 5
    assert any(line.endswith("availability  online") for line in demo.lines)
    assert any(line.endswith("availability  offline") for line in demo.lines)
    states = [line.partition("  ")[2] for line in demo.lines if "  state  " in line]
    assert any("speaking, so far" in state for state in states)
    assert all(earlier != later for earlier, later in pairwise(states))
    assert any("5 turns received" in line for line in demo.lines)
    assert any("affectd run --host" in line for line in demo.lines)
    assert not any("Traceback" in line or "WARNING" in line for line in demo.lines)


@needs_amqtt
@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_demo_when_1883_is_taken_and_somebody_has_seen_enough_then_leaves_nothing_behind(number):
    with ExitStack() as held:
        # Where another program, such as Mosquitto, has the port already, that is as good.
        with suppress(OSError):
            held.enter_context(socket.create_server(("127.0.0.1", 1883)))
        demo = held.enter_context(Program("demo"))
        port = int(re.search(r":(\d+), embedded", demo.wait_for("broker  "))[1])
        demo.wait_for(TURN.match)
        code, took = demo.signal(number)
        # Daemon and broker inherit its output, which ends when the last of them has ended.
        demo.wait_for_end_of_output()

    assert port != 1883
    assert code == 0
    assert took < 5.0
    assert any("1 turns received" in line for line in demo.lines)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
