"""`affectd web` as a process: how it starts, whom it lets in, how it ends."""

import base64
import signal
import socket

import pytest
from support.brokers import Mosquitto
from support.missing import without
from support.programs import affectd

from .dashboard import Dashboard

PASSWORD = "a good one, with ü"


def login(name, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def assert_refused(run, code, *words):
    assert run.returncode == code, run.stderr
    (line,) = run.stderr.splitlines()
    assert line.startswith("affectd: ")
    for word in words:
        assert word in line


def test_web_when_the_network_reaches_it_without_a_password_then_78_and_what_to_do():
    run = affectd("web", "--no-config", "--listen", "0.0.0.0:0")
    assert_refused(run, 78, "password_file", "AFFECTD_WEB_PASSWORD", "127.0.0.1")


def test_web_when_fastapi_is_missing_then_69_and_what_to_install(tmp_path):
    run = affectd("web", "--no-config", env=without("fastapi", tmp_path))
    assert_refused(run, 69, "pip install '.[web]'")


def test_web_when_the_port_is_taken_then_69_and_what_to_do():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        run = affectd("web", "--no-config", "--listen", address)
    assert_refused(run, 69, address, "--listen")


def test_web_when_the_address_is_not_ours_then_69_and_why():
    run = affectd("web", "--no-config", "--listen", "192.0.2.1:0", env={"AFFECTD_WEB_PASSWORD": PASSWORD})
    assert_refused(run, 69, "192.0.2.1", "--listen")


def test_web_when_a_tls_file_is_missing_then_78_and_its_name(tmp_path):
    file = tmp_path / "affectd.toml"
    file.write_text('[mqtt]\ntls = true\nca_file = "/nowhere/ca.crt"\n', encoding="utf-8")
    run = affectd("web", "--config", file, "--listen", "127.0.0.1:0")
    assert_refused(run, 78, "/nowhere/ca.crt")


@pytest.mark.parametrize("text", ["8765", "box:http"])
def test_web_when_listen_is_no_address_then_64(text):
    run = affectd("web", "--listen", text)
    assert run.returncode == 64
    assert "HOST:PORT" in run.stderr


def test_web_when_it_has_a_password_then_only_who_knows_it_is_let_in():
    with Dashboard(listen="0.0.0.0:0", env={"AFFECTD_WEB_PASSWORD": PASSWORD}) as dashboard:
        refused = dashboard.ask("/")
        assert refused.status == 401
        assert refused.headers["www-authenticate"].startswith("Basic ")
        for path, body in (("/api/state", None), ("/api/events", None), ("/api/classify", b"x")):
            assert dashboard.ask(path, body).status == 401
        wrong = (login("affectd", "wrong"), login("root", PASSWORD), {"Authorization": "Basic %%%"})
        assert [dashboard.ask("/api/state", headers=one).status for one in wrong] == [401] * 3
        # By any name: whoever knows the password is no page of somebody else.
        right = {**login("affectd", PASSWORD), "Host": "box.lan"}
        assert dashboard.ask("/api/state", headers=right).status == 200
        code, _ = dashboard.signal(signal.SIGTERM)
        dashboard.wait_for_end_of_output()
        said = "\n".join(dashboard.lines)
    assert code == 0
    assert PASSWORD not in said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_web_when_it_is_stopped_while_a_stream_and_an_upload_are_open_then_they_end_and_so_does_it(number):
    with Dashboard("--port", 9) as dashboard, dashboard.follow() as stream:
        stream.wait_for("snapshot")
        with dashboard.half_an_upload() as upload:
            while not dashboard.ask("/api/health").json["recordings"]:
                pass
            code, _ = dashboard.signal(number)
            assert upload.getresponse().status == 503
        assert stream.is_over()
        dashboard.wait_for_end_of_output()
        said = "\n".join(dashboard.lines)
    assert code == 0
    assert "Traceback" not in said


def test_web_when_the_broker_is_away_then_it_says_so_and_finds_it_when_it_comes(tmp_path, speech_file):
    broker = Mosquitto(tmp_path)
    with Dashboard("--host", "127.0.0.1", "--port", broker.port) as dashboard, dashboard.follow() as stream:
        stream.wait_for("snapshot")
        if not dashboard.ask("/api/state").json["broker"]["trouble"]:
            stream.wait_for("broker", lambda broker: broker["trouble"])
        away = dashboard.ask("/api/state").json["broker"]
        assert not away["connected"]
        assert "nothing listens there" in away["trouble"]
        assert dashboard.ask("/api/classify?picture=0", speech_file).json["turns"]
        broker.start()
        stream.wait_for("broker", lambda broker: broker["connected"])
        broker.stop()
        stream.wait_for("broker", lambda broker: not broker["connected"] and broker["trouble"])


def test_web_when_recordings_are_judged_then_the_log_has_no_word_of_them(speech_file):
    with Dashboard("--port", 9) as dashboard:
        assert dashboard.ask("/api/classify?name=diary.ogg", speech_file).status == 200
        assert dashboard.ask("/api/classify?name=diary.ogg", b"no sound").status == 415
        dashboard.signal(signal.SIGTERM)
        dashboard.wait_for_end_of_output()
        said = "\n".join(dashboard.lines)
    for word in ("diary", "classify", "neutral", "angry", "Traceback"):
        assert word not in said
