"""A service that starts before network, broker, microphone or the right time: each comes later."""

import configparser
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

import numpy as np
import pytest
from support.alsa import microphone_from
from support.brokers import TIMEOUT_S, Mosquitto, free_port, program
from support.certificates import Authority, tls_listener
from support.mosquitto_sub import MosquittoSub
from support.programs import AFFECTD, ROOT, Program
from support.sound import DEMO_SPEECH, RATE, pcm, silence
from support.wrong_clock import WrongClock

from edge.audio.files import read_file

UNIT = ROOT / "firmware_configs" / "systemd" / "affectd.service"
PIPE_BYTES = 1 << 20
FIRST_UTTERANCE_S = 4
ADDRESS = "10.77.0.1"

pytestmark = pytest.mark.slow


def utterance() -> bytes:
    return pcm(read_file(DEMO_SPEECH)[: FIRST_UTTERANCE_S * RATE]) + silence(1.0)


@contextmanager
def machine_without_network(loopback: str) -> Iterator[list[str]]:
    """At most its loopback is up, as early in any start; gives the words before a command that runs there."""
    unshare = shutil.which("unshare")
    if unshare is None or shutil.which("nsenter") is None or shutil.which("ip") is None:
        pytest.skip("unshare, nsenter or ip is not installed")
    holder = subprocess.Popen(
        [unshare, "--net", "sh", "-c", f"ip link set lo {loopback} && echo there && exec sleep 600"],
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout is not None
        if holder.stdout.readline() != b"there\n":
            pytest.skip("this user may not make a network of its own")
        yield ["nsenter", "--target", str(holder.pid), "--net"]
    finally:
        holder.kill()
        holder.wait()


@pytest.mark.parametrize("loopback", ["up", "down"])
def test_run_when_the_network_comes_after_it_then_what_was_said_before_and_after_arrives(
    tmp_path, device, loopback
):
    port = free_port()
    config = tmp_path / "mosquitto.conf"
    config.write_text(f"user root\nallow_anonymous true\nlistener {port} 0.0.0.0\n")
    options = (
        "--no-config",
        "--host",
        ADDRESS,
        "--port",
        port,
        "--device-id",
        device,
        "--source",
        "stdin",
    )
    with (
        machine_without_network(loopback) as there,
        Program("-c", config, command=[*there, program("mosquitto")]) as broker,
        Program("run", *options, command=[*there, *AFFECTD]) as daemon,
    ):
        daemon.wait_for("check the network")
        daemon.say(utterance())
        daemon.wait_for("turn: ")

        subprocess.run([*there, "ip", "link", "set", "lo", "up"], check=True)
        subprocess.run([*there, "ip", "address", "add", f"{ADDRESS}/32", "dev", "lo"], check=True)
        daemon.wait_for("connected")
        heard = Program(
            *("-h", "127.0.0.1", "-p", port, "-q", 1, "-t", f"affectd/{device}/turn"),
            command=[*there, program("mosquitto_sub")],
        )
        with heard:
            daemon.wait_for("1 turns waited")
            daemon.say(utterance())
            heard.wait_for('"emotion"')
        assert daemon.signal(signal.SIGTERM)[0] == 0
        assert broker.process.poll() is None


def test_run_when_the_clock_is_of_1970_and_then_set_then_tls_connects_and_no_turn_is_lost_or_too_old(
    tmp_path, device
):
    clock = WrongClock(tmp_path, -time.time() + 12 * 3600)
    authority, port = Authority(tmp_path), free_port()
    listener = tls_listener(port, *authority.sign("localhost"))
    config = tmp_path / "affectd.toml"
    config.write_text(
        f'[mqtt]\nhost = "localhost"\nport = {port}\ndevice = "{device}"\ntls = true\n'
        f'ca_file = "{authority.certificate}"\n[audio]\nsource = "stdin"\n'
        f'[outbox]\npath = "{tmp_path}/outbox.sqlite3"\n'
    )
    broker = Mosquitto(tmp_path, listener=listener)
    broker.start()
    try:
        with (
            MosquittoSub(broker.port, device) as subscriber,
            Program("run", "--config", config, env=clock.environment) as daemon,
        ):
            daemon.wait_for("the clock of this device")
            daemon.say(2 * utterance())
            # The second is recognised when the first has its time.
            daemon.wait_for(lambda _line: sum("turn: " in line for line in daemon.lines) == 2)

            clock.set(0)
            subscriber.wait_for_turns(2)
            daemon.say(utterance())
            early, _, late = subscriber.wait_for_turns(3)
            assert daemon.signal(signal.SIGTERM)[0] == 0
    finally:
        broker.stop()
    assert early.started.startswith("1970-01-01T")
    off_s = datetime.now(UTC).timestamp() - datetime.fromisoformat(late.started).timestamp()
    assert 0 < off_s < TIMEOUT_S * 6


@contextmanager
def kept_alive(*arguments: object, env: dict[str, str]) -> Iterator[list[Program]]:
    """Runs affectd as systemd does with our unit: anew after every end but those that the unit excepts."""
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(UNIT, encoding="utf-8")
    excepted = {int(code) for code in unit["Service"]["RestartPreventExitStatus"].split()}
    starts = [Program(*arguments, env=env)]
    stop = False

    def watch() -> None:
        while not stop:
            code = starts[-1].process.wait()
            if stop or code in excepted:
                return
            time.sleep(0.2)
            starts.append(Program(*arguments, env=env))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield starts
    finally:
        stop = True
        with suppress(ProcessLookupError):
            starts[-1].process.send_signal(signal.SIGTERM)
        thread.join(TIMEOUT_S)
        for start in starts:
            with start:
                pass
    assert not thread.is_alive()


def test_service_when_microphone_and_broker_are_plugged_in_later_then_it_becomes_whole(
    tmp_path, alsa_config, device
):
    env = alsa_config("")
    pipe = tmp_path / "microphone"
    os.mkfifo(pipe)
    broker = Mosquitto(tmp_path)
    config = tmp_path / "affectd.toml"
    config.write_text(
        f'[audio]\ndevice = "fakemic"\ndevice_rate = {RATE}\n'
        f'[mqtt]\nhost = "127.0.0.1"\nport = {broker.port}\ndevice = "{device}"\n'
        f'[outbox]\npath = "{tmp_path}/outbox.sqlite3"\n'
    )
    env["NOTIFY_SOCKET"] = str(tmp_path / "notify")
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd,
        kept_alive("run", "--config", config, env=env) as starts,
    ):
        systemd.bind(env["NOTIFY_SOCKET"])
        starts[0].wait_for("there is no input device")
        broker.start()
        try:
            with MosquittoSub(broker.port, device) as subscriber, pipe.open("r+b", buffering=0) as sound:
                fcntl.fcntl(sound, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
                stereo = np.repeat(np.frombuffer(utterance(), "<i2")[:, None], 2, axis=1)
                sound.write(stereo.tobytes())
                alsa_config(microphone_from(pipe))
                subscriber.wait_for_turns(1)
                assert len(starts) == 1
        finally:
            broker.stop()
