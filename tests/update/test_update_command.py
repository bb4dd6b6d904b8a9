"""`command/model/update` to a daemon that listens, through a real broker and a real HTTP server."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from functools import partial

import msgspec
import pytest
from support.http_folder import publish
from support.missing import needs_cryptography
from support.programs import Program, affectd
from support.sound import DEMO_SPEECH, pcm, silence
from support.subscriber import Subscriber

from edge.audio.files import read_file
from edge.inference.model import SHIPPED_MODEL
from edge.inference.model_file import read_model_file
from edge.mqtt.commands import CommandResult
from edge.mqtt.home_assistant import identifier
from edge.mqtt.messages import Turn
from edge.mqtt.settings import MqttSettings
from edge.update.fetch import Parcel
from edge.update.install import install
from edge.update.release import read_release

from .damage import Damage

pytestmark = needs_cryptography


@pytest.fixture
def live(mosquitto, device: str) -> Iterator[Subscriber]:
    with Subscriber(mosquitto.port, f"affectd/{device}/#") as subscriber:
        yield subscriber


@pytest.fixture
def daemon(live, mosquitto, device, trusted, tmp_path, store) -> Iterator[Program]:
    config = tmp_path / "affectd.toml"
    config.write_text(
        f'[mqtt]\nhost = "127.0.0.1"\nport = {mosquitto.port}\ndevice = "{device}"\n'
        f'[model]\ntrusted_keys = "{trusted}"\n'
    )
    env = {"STATE_DIRECTORY": str(store.folder.parent)}
    with Program("run", "--config", config, "--source", "stdin", env=env) as program:
        live.wait_for(f"affectd/{device}/state")
        yield program


@pytest.fixture
def command(live: Subscriber, device: str):
    return partial(live.command, device)


def next_turn(daemon: Program, live: Subscriber, device: str) -> Turn:
    daemon.say(pcm(read_file(DEMO_SPEECH)[: 3 * 16_000]) + silence(1.5))
    return msgspec.json.decode(live.wait_for(f"affectd/{device}/turn").payload, type=Turn)


def test_doctor_when_an_installed_model_runs_then_the_description_of_that_one_is_found(
    release, device_settings, store, mosquitto, tmp_path, device, request
) -> None:
    install(str(release), device_settings, store)
    request.getfixturevalue("daemon")
    topics = MqttSettings(device=device).topics
    place = f"homeassistant/device/{identifier(topics)}/config"
    with Subscriber(mosquitto.port, place) as home_assistant:
        assert b'"model":"first"' in home_assistant.wait_for(place).payload
    done = affectd(
        *("doctor", "--config", tmp_path / "affectd.toml", "--only", "home-assistant"),
        env={"STATE_DIRECTORY": str(store.folder.parent)},
    )
    assert "  ok    announced with" in done.stdout


def test_model_when_it_changes_to_one_with_other_labels_and_back_then_home_assistant_learns_them(
    make_release, store, server, command, device, mosquitto, request
) -> None:
    place = f"homeassistant/device/{identifier(MqttSettings(device=device).topics)}/config"
    card, _ = read_model_file(SHIPPED_MODEL)
    labels = ("joyful", *card.labels[1:])
    circumplex = dict(zip(labels, card.circumplex.values(), strict=True))
    url, folder = server
    publish(make_release("3.0.0", name="other", labels=labels, circumplex=circumplex), folder)

    def options(live: Subscriber) -> list[str]:
        described = msgspec.json.decode(live.wait_for(place).payload)
        return described["components"]["emotion"]["options"][: len(labels)]

    request.getfixturevalue("daemon")
    with Subscriber(mosquitto.port, place) as home_assistant:
        assert options(home_assistant) == list(card.labels)
        answer = command("model/update", value=f"{url}/model.tflite")
        assert answer.ok, answer.reason
        assert options(home_assistant) == list(labels)
        store.go_back()
        assert command("reload").ok
        assert options(home_assistant) == list(card.labels)


def test_update_when_damaged_releases_come_then_each_is_refused_and_the_old_model_answers(
    release, make_release, device_settings, store, server, key, forger, live, command, device, request
) -> None:
    install(str(release), device_settings, store)
    daemon = request.getfixturevalue("daemon")
    url, folder = server
    whole = make_release("2.0.0", name="second")
    made = read_release(whole)
    assert made is not None
    damage = Damage(
        Parcel(content=whole.read_bytes(), signature=key.sign(whole.read_bytes())),
        *read_model_file(whole),
        made,
        key.sign,
        forger.sign,
    )
    for kind, parcel in [each for each in damage.parcels(10) if each[0] != "signature_damaged"][:6]:
        (folder / "model.tflite").write_bytes(parcel.content)
        (folder / "model.tflite.sig").write_bytes(parcel.signature)
        answer = command("model/update", value=f"{url}/model.tflite")
        assert (answer.ok, answer.result) == (False, {}), kind
        assert answer.reason
    assert command("model/info").result["name"] == "first"
    assert next_turn(daemon, live, device).model == "first"

    publish(whole, folder)
    answer = command("model/update", value=f"{url}/model.tflite")
    assert answer.ok, answer.reason
    assert (answer.result["name"], answer.result["version"]) == ("second", "2.0.0")
    assert command("model/info").result["name"] == "second"
    assert next_turn(daemon, live, device).model == "second"


def test_update_when_it_is_slow_to_come_then_the_daemon_hears_on_and_takes_other_commands(
    daemon, live, command, device, release, tmp_path
) -> None:
    """Commands are carried out in the network's thread: a download must not hold it up."""
    with socket.create_server(("127.0.0.1", 0)) as never_answers:
        url = f"http://127.0.0.1:{never_answers.getsockname()[1]}/model.tflite"
        live.say(f"affectd/{device}/command/model/update", msgspec.json.encode({"value": url}).decode())
        connection, _ = never_answers.accept()
        with connection:
            assert command("identify").ok
            assert next_turn(daemon, live, device).model == "affectd"
            second = command("model/update", value=url)
            assert "under way" in (second.reason or "")
    answer = live.wait_for(f"affectd/{device}/command/model/update/result")
    assert not msgspec.json.decode(answer.payload, type=CommandResult).ok


@pytest.mark.parametrize(
    "fields",
    [{}, {"value": "/etc/passwd"}, {"value": "file:///etc/passwd"}, {"value": "http://x", "sha256": "0"},
     {"value": "http://x", "force": True}],
)  # fmt: skip
def test_update_when_the_command_makes_no_sense_then_is_refused(daemon, command, fields) -> None:
    assert not command("model/update", **fields).ok


def test_update_when_the_daemon_is_stopped_meanwhile_then_it_ends_at_once(
    daemon, live, device, tmp_path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as never_answers:
        url = f"http://127.0.0.1:{never_answers.getsockname()[1]}/model.tflite"
        live.say(f"affectd/{device}/command/model/update", msgspec.json.encode({"value": url}).decode())
        connection, _ = never_answers.accept()
        with connection:
            assert connection.recv(1 << 16).startswith(b"GET ")
            code, _ = daemon.signal(signal.SIGTERM)
            assert code == 0
            daemon.wait_for_end_of_output()
            assert connection.recv(1) == b""
