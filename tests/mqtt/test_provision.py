"""What `affectd provision` makes, in a real Mosquitto and on a real device."""

from __future__ import annotations

import stat
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.brokers import TIMEOUT_S, Mosquitto, free_port, program
from support.loglines import Log
from support.mqtt_user import User
from support.programs import affectd

from edge import __version__
from edge.config import Config
from edge.doctor.home_assistant import examine
from edge.doctor.report import Verdict
from edge.inference.model import SHIPPED_MODEL
from edge.inference.model_file import read_model_file
from edge.mqtt.client import Publisher
from edge.mqtt.commands import KINDS, CommandDesk
from edge.mqtt.errors import MqttSettingsError
from edge.mqtt.home_assistant import Discovery, identifier
from edge.mqtt.probe import probe
from edge.mqtt.provision.folder import provision
from edge.mqtt.settings import MqttSettings

HOSTS = ("localhost", "127.0.0.1")
DEVICES = ("kitchen", "north/lab/pi-3")
SAID = ("availability", "state", "turn", "health", "command/mute/result", "command/model/info/result")


class Site:
    """A broker that runs with the files of a folder, and clients that log in with theirs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        shipped = (folder / "broker" / "affectd.conf").read_text()
        assert "listener 8883\n" in shipped
        here = shipped.replace("8883", str(self.port)).replace(
            "/etc/mosquitto/affectd", str(folder / "broker")
        )
        # What affectd.conf says for the whole broker stands before its own listener.
        *_, everybody = here.partition("allow_anonymous")
        listener = here.removesuffix("allow_anonymous" + everybody)
        everybody = everybody.replace("persistence true\n", "")
        self.broker = Mosquitto(folder, f"allow_anonymous{everybody}", listener=listener)

    def settings(self, name: str) -> MqttSettings:
        """Those of a device, with the paths where its files lie here."""
        own = self.folder / "devices" / name
        text = (own / "mqtt.toml").read_text()
        for there in ("/run/credentials/affectd.service", "/etc/affectd"):
            text = text.replace(there, str(own))
        return MqttSettings(**{**tomllib.loads(text)["mqtt"], "port": self.port})

    def login(self, kind: str, name: str, *, with_certificate: bool = False) -> User:
        own = self.folder / kind / name
        return User(
            self.port,
            name,
            (own / "mqtt-password").read_text().strip(),
            host="localhost",
            ca_file=own / "ca.crt",
            client=(own / "client.crt", own / "mqtt-key") if with_certificate else None,
        )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    for name in ("openssl", "mosquitto_passwd"):
        program(name)
    folder = tmp_path_factory.mktemp("site") / "keys"
    provision(folder, DEVICES, HOSTS)
    site = Site(folder)
    site.broker.start()
    yield site
    site.broker.stop()


@pytest.fixture
def login(site: Site) -> Iterator[Callable[[str, str], User]]:
    users: list[User] = []

    def make(kind: str, name: str) -> User:
        users.append(site.login(kind, name))
        assert users[-1].answer == "Success"
        return users[-1]

    yield make
    for user in users:
        user.close()


@pytest.mark.parametrize("name", ["kitchen", "pi-3"])
def test_device_when_it_uses_its_files_then_is_online_and_obeys_the_controller_alone(
    site: Site, login: Callable[[str, str], User], name: str
) -> None:
    settings = site.settings(name)
    topics = settings.topics
    done: list[str] = []

    def execute(command: str, _: object) -> dict[str, Any]:
        done.append(command)
        return {}

    publisher = Publisher(settings)
    desk = CommandDesk(topics, execute, publisher.answer)
    publisher.listen(desk.patterns, desk.receive)
    dashboard, controller = login("users", "dashboard"), login("users", "controller")
    dashboard.subscribe("affectd/#")
    controller.subscribe("affectd/#")
    with publisher:
        assert dashboard.got(topics.availability)
        for other in ("kitchen", "pi-3"):
            assert not login("devices", other).publish(f"{topics.command}/identify")
        assert not dashboard.publish(f"{topics.command}/identify")
        assert controller.publish(f"{topics.command}/health")
        assert controller.got(f"{topics.command}/health/result")
    assert done == ["health"]


@pytest.mark.parametrize("name", ["kitchen", "pi-3"])
def test_probe_when_a_device_uses_its_files_then_goes_there_and_back(site: Site, name: str) -> None:
    assert all(stage.ok for stage in probe(site.settings(name)))


@pytest.mark.parametrize("name", ["kitchen", "pi-3"])
def test_device_when_it_publishes_then_only_its_own_topics_are_taken(
    site: Site, login: Callable[[str, str], User], name: str
) -> None:
    device = login("devices", name)
    bases = {each: site.settings(each).topics.turn.removesuffix("/turn") for each in ("kitchen", "pi-3")}
    for owner, base in bases.items():
        for what in SAID:
            assert device.publish(f"{base}/{what}") is (owner == name), (owner, what)
        for command in KINDS:
            assert not device.publish(f"{base}/command/{command}")
    for topic in ("affectd/x", f"{bases[name]}/other", "homeassistant/device/other/config", "$SYS/x"):
        assert not device.publish(topic)


@pytest.mark.parametrize(("name", "other"), [("kitchen", "pi-3"), ("pi-3", "kitchen")])
def test_device_when_it_has_described_itself_then_may_read_that_and_of_no_other(
    site: Site, login: Callable[[str, str], User], name: str, other: str
) -> None:
    own, others = (
        f"homeassistant/device/{identifier(site.settings(each).topics)}/config" for each in (name, other)
    )
    device = login("devices", name)
    device.subscribe("homeassistant/device/#")
    assert login("devices", other).publish(others)
    # What arrives behind it proves that it was not merely late.
    assert device.publish(own)
    assert device.got(own)
    assert device.received == [own]


@pytest.mark.parametrize("name", ["kitchen", "pi-3"])
def test_doctor_when_a_device_uses_its_files_then_finds_its_description(site: Site, name: str) -> None:
    config = Config(mqtt=site.settings(name))
    card, _ = read_model_file(SHIPPED_MODEL)
    publisher = Publisher(config.mqtt)
    Discovery(
        config.home_assistant,
        config.mqtt.topics,
        card.labels,
        card.name,
        __version__,
        publisher.publish_latest,
        config.mqtt.room,
    ).announce()
    with publisher:
        assert publisher.wait_connected(TIMEOUT_S)
    described, _ = examine(config)
    assert described.verdict is Verdict.OK, described


def test_users_when_they_publish_then_only_controllers_may_and_only_commands(
    site: Site, login: Callable[[str, str], User]
) -> None:
    topics = site.settings("pi-3").topics
    for name in ("dashboard", "controller", "homeassistant"):
        user = login("users", name)
        for command in KINDS:
            assert user.publish(f"{topics.command}/{command}") is (name != "dashboard")
        assert not user.publish(topics.state)
        assert not user.publish(f"{topics.command}/mute/result")
        assert user.publish("homeassistant/status") is (name == "homeassistant")


def test_broker_when_it_asks_for_certificates_then_a_password_alone_lets_nobody_in(
    tmp_path: Path, log: Log
) -> None:
    folder = tmp_path / "keys"
    provision(folder, ["kitchen"], HOSTS, client_certificates=True)
    site = Site(folder)
    site.broker.start()
    settings = site.settings("kitchen")
    user = site.login("users", "dashboard", with_certificate=True)
    user.subscribe("affectd/#")
    with Publisher(settings):
        assert user.got(settings.topics.availability)
    user.close()
    without = {"cert_file": None, "key_file": None}
    bare = MqttSettings(**{**{f: getattr(settings, f) for f in settings.__struct_fields__}, **without})
    *_, last = probe(bare)
    assert not last.ok
    assert "asks for a certificate" in last.message
    site.broker.stop()


def test_provision_when_run_again_then_keeps_what_is_there_and_adds_what_is_new(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    provision(folder, ["kitchen"], HOSTS)
    kept = ("ca/ca.crt", "ca/ca.key", "broker/broker.crt", "devices/kitchen/mqtt-password")
    before = [(folder / name).read_bytes() for name in kept]
    names = provision(folder, ["lab/hall"], [])
    assert names == ["kitchen", "hall"]
    assert [(folder / name).read_bytes() for name in kept] == before
    users = [line.partition(":")[0] for line in (folder / "broker/affectd.passwd").read_text().splitlines()]
    assert sorted(users) == ["controller", "dashboard", "hall", "homeassistant", "kitchen"]
    assert tomllib.loads((folder / "devices/hall/mqtt.toml").read_text())["mqtt"]["host"] == "localhost"


def test_provision_when_done_then_nobody_else_reads_a_secret(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    provision(folder, ["kitchen"], HOSTS, client_certificates=True)
    secrets = [*folder.rglob("*password"), *folder.rglob("*key"), *folder.rglob("*.passwd")]
    assert len(secrets) == 4 + 4 + 2 + 1
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in secrets)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    words = [file.read_text().strip() for file in folder.rglob("mqtt-password")]
    assert len(set(words)) == len(words)
    assert not any(word in (folder / "broker" / "affectd.passwd").read_text() for word in words)


@pytest.mark.parametrize(
    ("places", "hosts", "reason"),
    [
        (["Kitchen"], HOSTS, "device is 'Kitchen'"),
        (["a/b/c/d"], HOSTS, "SITE/ROOM/NAME"),
        (["dashboard"], HOSTS, "another client"),
        (["hall/"], HOSTS, "device"),
        (["kitchen", "lab/kitchen"], HOSTS, "a kitchen already"),
        (["kitchen"], [], "--host"),
        (["kitchen"], ["bro ker"], "host"),
        (["kitchen"], ["x", "IP:1.2.3.4,DNS:evil"], "host"),
    ],
)
def test_provision_when_a_name_is_unfit_then_says_so_and_makes_nothing(
    tmp_path: Path, places: list[str], hosts: list[str], reason: str
) -> None:
    with pytest.raises(MqttSettingsError, match=reason):
        provision(tmp_path / "keys", places, hosts)
    assert not (tmp_path / "keys").exists()


def test_command_when_run_then_says_for_whom_each_folder_is(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    done = affectd("provision", folder, "--host", "broker.lan", "--device", "lab/pi")
    assert done.returncode == 0, done.stderr
    assert f"{folder}/devices/pi: for the device pi" in done.stdout
    assert (folder / "broker" / "affectd.conf").is_file()
    again = affectd("provision", folder, "--device", "pi")
    assert again.returncode == 78
    assert "a pi already, at affectd/lab/pi/turn" in again.stderr


def test_command_when_a_program_is_missing_or_the_folder_is_not_ours_then_says_so(tmp_path: Path) -> None:
    options = ("--host", "broker.lan", "--device", "pi")
    file = tmp_path / "file"
    file.touch()
    done = affectd("provision", file / "keys", *options)
    assert done.returncode == 69
    assert f"{file / 'keys'}: Not a directory; a file is where a folder should be" in done.stderr
    assert "Traceback" not in done.stderr
