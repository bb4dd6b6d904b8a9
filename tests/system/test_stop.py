"""A daemon that is told to stop says `offline` and is gone within 2 s, whatever it was doing."""

import os
import signal
import socket

import pytest
from support.brokers import TIMEOUT_S, free_port
from support.missing import needs_amqtt
from support.mosquitto_sub import MosquittoSub
from support.programs import Program
from support.sound import DEMO_SPEECH, RATE
from support.subscriber import Subscriber

SIGNALS = [signal.SIGTERM, signal.SIGINT]
GONE_S = 2.0
"""What the daemon promises to whoever stops it"""


def is_listening(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("source", ["blocked stdin", "file in real time", "blocked command"])
def test_stop_when_signalled_then_says_offline_and_is_gone(number, source, subscriber, to_broker):
    sound = {
        "blocked stdin": ["--source", "stdin"],
        "file in real time": ["--file", DEMO_SPEECH, "--realtime"],
        "blocked command": ["--command", "sleep 1000"],
    }[source]
    with Program("run", *to_broker, *sound) as daemon:
        subscriber.wait_online()
        code, took = daemon.signal(number)
        subscriber.wait_offline()

    assert code == 0
    assert took < GONE_S
    assert any(f"{number.name}: stopping" in line for line in daemon.lines)
    assert not any("Traceback" in line or "CRITICAL" in line for line in daemon.lines)


def test_stop_when_somebody_speaks_then_the_open_turn_is_delivered_first(speech, subscriber, to_broker):
    with Program("run", *to_broker, "--source", "stdin") as daemon:
        subscriber.wait_online()
        # More than a pipe holds: once it is written, the daemon has heard more than a second of it.
        daemon.say(speech[: int(3.5 * 2 * RATE)])
        subscriber.wait_for(lambda _line: any(state.speaking for state in subscriber.states))
        assert daemon.signal(signal.SIGTERM)[1] < GONE_S
        subscriber.wait_offline()

    *before, last = [message.kind for message in subscriber.messages[-3:]]
    assert last == "availability"
    # A state does not wait for turns, so it comes first if the state before it is still on its way.
    assert sorted(before) == ["state", "turn"]
    assert not subscriber.states[-1].speaking


@pytest.mark.parametrize("number", SIGNALS)
def test_stop_when_nothing_listens_at_the_broker_then_is_gone(number, speech, deaf_port):
    with Program("run", "--no-config", "--port", deaf_port, "--source", "stdin") as daemon:
        daemon.wait_for("nothing listens there")
        daemon.say(speech)
        daemon.wait_for("turn: ")
        code, took = daemon.signal(number)

    assert code == 0
    assert took < GONE_S


@pytest.mark.parametrize("number", SIGNALS)
def test_stop_when_the_broker_takes_the_connection_and_is_silent_then_is_gone(number):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with Program(
            "run", "--no-config", "--port", port, "--host", "127.0.0.1", "--source", "stdin"
        ) as daemon:
            connection, _ = silent.accept()
            with connection:
                assert connection.recv(1)
                daemon.wait_for("listening to")
                code, took = daemon.signal(number)

    assert code == 0
    assert took < GONE_S


def test_stop_when_the_last_turns_of_a_file_wait_for_the_broker_then_does_not_wait_with_them(deaf_port):
    with Program("run", "--no-config", "--port", deaf_port, "--file", DEMO_SPEECH) as daemon:
        daemon.wait_for("the source has ended")
        code, took = daemon.signal(signal.SIGTERM)

    assert code == 69
    assert took < GONE_S


@needs_amqtt
@pytest.mark.parametrize("number", SIGNALS)
def test_stop_when_the_broker_is_embedded_then_it_still_says_offline_and_goes_too(number, device):
    port = free_port()
    topic = f"affectd/{device}/availability"
    options = ("--no-config", "--embedded-broker", "--port", port, "--device-id", device)
    with Program("run", *options, "--source", "stdin") as daemon:
        daemon.wait_for("embedded MQTT broker listens")
        with Subscriber(port, topic) as live:
            live.wait_for(topic, b"online")
            code, took = daemon.signal(number)
            live.wait_for(topic, b"offline")

    assert code == 0
    assert took < GONE_S
    assert not is_listening(port)


@needs_amqtt
def test_stop_when_a_service_manager_signals_the_whole_group_then_offline_is_said_all_the_same(device):
    port = free_port()
    topic = f"affectd/{device}/availability"
    options = ("--no-config", "--embedded-broker", "--port", port, "--device-id", device)
    with Program("run", *options, "--source", "stdin", own_group=True) as daemon:
        daemon.wait_for("embedded MQTT broker listens")
        with Subscriber(port, topic) as live:
            live.wait_for(topic, b"online")
            os.killpg(daemon.process.pid, signal.SIGTERM)
            live.wait_for(topic, b"offline")
        assert daemon.wait() == 0


@needs_amqtt
def test_stop_when_the_embedded_broker_is_still_starting_then_is_gone():
    with Program(
        *("run", "--no-config", "--embedded-broker", "--port", free_port(), "--source", "stdin"),
        *("--log-level", "debug"),
    ) as daemon:
        daemon.wait_for("model runs in")
        _, took = daemon.signal(signal.SIGINT)

    assert took < GONE_S
    assert not any("Traceback" in line for line in daemon.lines)


def test_stop_when_the_microphone_is_blocked_then_is_gone(fake_microphone, mosquitto, device):
    pipe, env = fake_microphone
    options = ("--no-config", "--host", "127.0.0.1", "--port", mosquitto.port, "--device-id", device)
    with (
        pipe.open("r+b", buffering=0),
        MosquittoSub(mosquitto.port, device) as subscriber,
        Program("run", *options, "--device", "fakemic", env=env) as daemon,
    ):
        subscriber.wait_online()
        daemon.wait_for("listening to fakemic")
        code, took = daemon.signal(signal.SIGTERM)
        subscriber.wait_offline()

    assert code == 0
    assert took < GONE_S


@needs_amqtt
def test_stop_when_the_daemon_is_killed_then_its_embedded_broker_goes_too(device):
    port = free_port()
    options = ("--no-config", "--embedded-broker", "--port", port, "--device-id", device)
    with Program("run", *options, "--source", "stdin") as daemon:
        daemon.wait_for("embedded MQTT broker listens")
        daemon.signal(signal.SIGKILL)
        # The broker inherits the daemon's standard error, which ends when the last of them has ended.
        daemon.wait_for_end_of_output(TIMEOUT_S)

    assert not is_listening(port)


def test_stop_when_told_before_it_listens_then_is_gone_without_a_traceback(to_broker):
    with Program("run", *to_broker, "--source", "stdin") as daemon:
        _, took = daemon.signal(signal.SIGTERM)

    assert took < GONE_S
    assert daemon.lines == []
