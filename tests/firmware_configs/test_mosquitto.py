"""The broker's files, in a real Mosquitto that reads them as Debian's would."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.mqtt_user import User

from edge.mqtt.commands import KINDS

FILES = Path(__file__).resolve().parents[2] / "firmware_configs" / "mosquitto"
DAEMON_PATH = os.pathsep.join((os.environ["PATH"], "/usr/sbin", "/sbin"))
MOSQUITTO = shutil.which("mosquitto", path=DAEMON_PATH)
PASSWORDS = {
    "kitchen": "a long: password",
    "hall-2": "$7$other",
    "dashboard": "d",
    "controller": "c",
    "homeassistant": "h",
}
WAIT_S = 10.0

pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def make_users(file: Path, *users: str, **passwords: str) -> subprocess.CompletedProcess[str]:
    variables = {
        f"AFFECTD_PASSWORD_{user.upper().replace('-', '_')}": word for user, word in passwords.items()
    }
    return subprocess.run(
        [FILES / "make-users.sh", file, *users],
        env={"PATH": DAEMON_PATH, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@contextmanager
def running(command: list[str], port: int) -> Iterator[None]:
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            deadline = time.monotonic() + WAIT_S
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    assert process.poll() is None, process.communicate()[0]
                    assert time.monotonic() < deadline, "mosquitto does not listen"
                    time.sleep(0.05)
            yield
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A broker made of the shipped files; only the paths and the port are others."""
    # Mosquitto started by root goes on as the user mosquitto, which pytest's own temporary folders lock out.
    with tempfile.TemporaryDirectory() as name:
        etc = Path(name)
        etc.chmod(0o755)
        (etc / "conf.d").mkdir()
        (etc / "data").mkdir()
        (etc / "data").chmod(0o777)
        number = free_port()
        shipped = (FILES / "affectd.conf").read_text(encoding="utf-8")
        assert "\nlistener 1883\n" in shipped
        here = shipped.replace("\nlistener 1883\n", f"\nlistener {number} 127.0.0.1\n")
        (etc / "conf.d" / "affectd.conf").write_text(here.replace("/etc/mosquitto", name), encoding="utf-8")
        (etc / "mosquitto.conf").write_text(
            # As in Debian's mosquitto.conf.
            f"persistence true\npersistence_location {etc}/data/\n"
            f"log_dest stdout\ninclude_dir {etc}/conf.d\n",
            encoding="utf-8",
        )
        shutil.copy(FILES / "acl", etc / "affectd.acl")
        made = make_users(etc / "affectd.passwd", *PASSWORDS, **PASSWORDS)
        assert made.returncode == 0, made.stderr
        assert MOSQUITTO is not None
        with running([MOSQUITTO, "-c", str(etc / "mosquitto.conf")], number):
            yield number


@pytest.fixture
def login(port: int) -> Iterator[type]:
    users: list[User] = []

    def make(name: str | None, password: str | None = None) -> User:
        known = None if name is None else PASSWORDS.get(name)
        users.append(User(port, name, known if password is None else password))
        return users[-1]

    yield make
    for user in users:
        user.close()


def test_broker_when_anonymous_then_refuses(login):
    assert login(None).answer == "Not authorized"


def test_broker_when_wrong_password_then_refuses(login):
    assert login("kitchen", "guess").answer == "Not authorized"


@pytest.mark.parametrize("name", PASSWORDS)
def test_broker_when_password_from_make_users_then_lets_in(login, name):
    assert login(name).answer == "Success"


@pytest.mark.parametrize("what", ["availability", "state", "turn", "health", "command/mute/result"])
def test_device_when_it_publishes_its_own_topics_then_the_dashboard_sees_them(login, what):
    topic = f"affectd/kitchen/{what}"
    dashboard = login("dashboard")
    dashboard.subscribe("affectd/#")
    assert login("kitchen").publish(topic)
    assert dashboard.got(topic)


@pytest.mark.parametrize(
    "topic",
    [
        "affectd/hall-2/state",
        "affectd/hall-2/command/mute",
        "affectd/kitchen/command/mute",
        "affectd/kitchen/command/model/update",
        "affectd/kitchen/other",
        "other/kitchen",
        "$SYS/x",
    ],
)
def test_device_when_it_publishes_elsewhere_then_is_refused(login, topic):
    assert not login("kitchen").publish(topic)


def test_device_when_another_publishes_then_does_not_see_it(login):
    kitchen, hall = login("kitchen"), login("hall-2")
    kitchen.subscribe("affectd/#")
    assert hall.publish("affectd/hall-2/state")
    # What arrives behind it proves that it was not merely late.
    assert login("controller").publish("affectd/kitchen/command/mute")
    assert kitchen.got("affectd/kitchen/command/mute")
    assert kitchen.received == ["affectd/kitchen/command/mute"]


@pytest.mark.parametrize(
    "topic", ["affectd/kitchen/state", "affectd/kitchen/command/mute", "affectd/dashboard/state", "other"]
)
def test_dashboard_when_it_publishes_then_is_refused(login, topic):
    assert not login("dashboard").publish(topic)


def test_device_when_it_describes_itself_to_home_assistant_then_may_and_as_another_may_not(login):
    kitchen = login("kitchen")
    assert kitchen.publish("homeassistant/device/affectd_kitchen/config")
    assert not kitchen.publish("homeassistant/device/affectd_hall-2/config")


def test_device_when_it_has_described_itself_then_may_read_that_and_of_no_other(login):
    kitchen = login("kitchen")
    kitchen.subscribe("homeassistant/device/#")
    assert login("hall-2").publish("homeassistant/device/affectd_hall-2/config")
    # What arrives behind it proves that it was not merely late.
    assert kitchen.publish("homeassistant/device/affectd_kitchen/config")
    assert kitchen.got("homeassistant/device/affectd_kitchen/config")
    assert kitchen.received == ["homeassistant/device/affectd_kitchen/config"]


@pytest.mark.parametrize("name", ["dashboard", "controller"])
def test_others_when_they_describe_a_device_then_are_refused(login, name):
    assert not login(name).publish(f"homeassistant/device/affectd_{name}/config")


def test_home_assistant_when_it_has_started_then_devices_hear_it_and_it_may_command(login):
    kitchen, home_assistant = login("kitchen"), login("homeassistant")
    kitchen.subscribe("homeassistant/status")
    assert home_assistant.publish("homeassistant/status")
    assert kitchen.got("homeassistant/status")
    assert home_assistant.publish("affectd/kitchen/command/mute")
    assert not home_assistant.publish("affectd/kitchen/state")


@pytest.mark.parametrize("who", ["controller", "homeassistant"])
@pytest.mark.parametrize("name", KINDS)
def test_command_when_a_controller_sends_it_then_arrives_and_is_answered(login, who, name):
    topic = f"affectd/kitchen/command/{name}"
    kitchen, controller = login("kitchen"), login(who)
    kitchen.subscribe(topic)
    controller.subscribe(f"{topic}/result")
    assert controller.publish(topic)
    assert kitchen.got(topic)
    assert kitchen.publish(f"{topic}/result")
    assert controller.got(f"{topic}/result")


@pytest.mark.parametrize(
    "topic", ["affectd/kitchen/state", "affectd/kitchen/command/mute/result", "affectd/controller/x"]
)
def test_controller_when_it_publishes_anything_else_then_is_refused(login, topic):
    assert not login("controller").publish(topic)


def test_make_users_when_a_user_is_added_then_the_others_keep_their_passwords(tmp_path):
    file = tmp_path / "passwd"
    assert make_users(file, "kitchen", kitchen="one").returncode == 0
    before = file.read_text(encoding="utf-8")
    assert make_users(file, "hall-2", **{"hall-2": "two"}).returncode == 0
    assert file.read_text(encoding="utf-8").startswith(before)
    assert make_users(file, "kitchen", kitchen="three").returncode == 0
    after = file.read_text(encoding="utf-8").splitlines()
    assert sorted(line.partition(":")[0] for line in after) == ["hall-2", "kitchen"]
    assert before.strip() not in after
    assert [path.name for path in tmp_path.iterdir()] == ["passwd"]


def test_make_users_when_done_then_the_file_holds_no_password_and_is_not_for_all(tmp_path):
    file = tmp_path / "passwd"
    assert make_users(file, "kitchen", kitchen="plain text").returncode == 0
    assert "plain text" not in file.read_text(encoding="utf-8")
    assert file.stat().st_mode & 0o007 == 0


@pytest.mark.parametrize("name", ["Kitchen", "+", "a/b", "a:b", "#", ""])
def test_make_users_when_the_name_is_no_topic_level_then_says_so_and_changes_nothing(tmp_path, name):
    done = make_users(tmp_path / "passwd", name)
    assert done.returncode == 64
    assert "a-z, 0-9" in done.stderr
    assert not list(tmp_path.iterdir())


def test_make_users_when_nobody_gives_a_password_then_changes_nothing(tmp_path):
    done = make_users(tmp_path / "passwd", "kitchen")
    assert done.returncode == 65
    assert "No password" in done.stderr
    assert not list(tmp_path.iterdir())
