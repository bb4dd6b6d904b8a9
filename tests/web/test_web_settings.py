"""What can be set of the dashboard, and what is refused."""

import pytest

from edge.web.address import host_of, is_loopback, split_address
from edge.web.errors import WebSettingsError
from edge.web.settings import PASSWORD_VARIABLE, WebSettings


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"bind": "http://x"}, "bind"),
        ({"bind": ""}, "bind"),
        ({"port": 65_536}, "port"),
        ({"port": -1}, "port"),
        ({"hosts": ("a.lan:80/",)}, "hosts"),
        ({"username": ""}, "username"),
        ({"username": "a:b"}, "username"),
        ({"max_upload_mb": 0.0}, "max_upload_mb"),
        ({"max_upload_s": 7201.0}, "max_upload_s"),
        ({"max_waiting": -1}, "max_waiting"),
    ],
)
def test_settings_when_a_value_makes_no_sense_then_the_message_names_it(changes, word):
    with pytest.raises(WebSettingsError, match=word):
        WebSettings(**changes)


@pytest.mark.parametrize("bind", ["127.0.0.1", "::1", "localhost", "127.8.0.1"])
def test_password_when_only_this_machine_reaches_it_then_none_is_needed(bind, monkeypatch):
    monkeypatch.delenv(PASSWORD_VARIABLE, raising=False)
    assert WebSettings(bind=bind).password() is None


@pytest.mark.parametrize("bind", ["0.0.0.0", "::", "192.168.1.5", "box.lan"])
def test_password_when_the_network_reaches_it_and_there_is_none_then_refused(bind, monkeypatch):
    monkeypatch.delenv(PASSWORD_VARIABLE, raising=False)
    with pytest.raises(WebSettingsError, match=PASSWORD_VARIABLE):
        WebSettings(bind=bind).password()


def test_password_when_in_a_file_then_read_without_its_line_break_and_the_environment_wins(
    tmp_path, monkeypatch
):
    file = tmp_path / "password"
    file.write_text("from the file\n", encoding="utf-8")
    settings = WebSettings(bind="0.0.0.0", password_file=str(file))
    monkeypatch.delenv(PASSWORD_VARIABLE, raising=False)
    assert settings.password() == "from the file"
    monkeypatch.setenv(PASSWORD_VARIABLE, "from the environment")
    assert settings.password() == "from the environment"


@pytest.mark.parametrize("content", [None, "", "\n"])
def test_password_when_its_file_is_missing_or_empty_then_refused_by_name(tmp_path, monkeypatch, content):
    monkeypatch.delenv(PASSWORD_VARIABLE, raising=False)
    file = tmp_path / "password"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    with pytest.raises(WebSettingsError, match=str(file)):
        WebSettings(password_file=str(file)).password()


def test_password_when_the_variable_is_empty_then_refused(monkeypatch):
    monkeypatch.setenv(PASSWORD_VARIABLE, "")
    with pytest.raises(WebSettingsError, match="empty"):
        WebSettings().password()


@pytest.mark.parametrize(
    ("text", "address"),
    [("127.0.0.1:80", ("127.0.0.1", 80)), ("[::1]:8765", ("::1", 8765)), ("box.lan:0", ("box.lan", 0))],
)
def test_split_address_when_it_is_host_and_port_then_both(text, address):
    assert split_address(text) == address


@pytest.mark.parametrize("text", ["8765", ":8765", "box.lan", "::1:8765", "box.lan:http", "box.lan:"])
def test_split_address_when_it_is_anything_else_then_refused(text):
    with pytest.raises(ValueError, match=r"HOST:PORT|brackets"):
        split_address(text)


@pytest.mark.parametrize(
    ("header", "host"),
    [("LOCALHOST:8765", "localhost"), ("[::1]:80", "::1"), ("127.0.0.1", "127.0.0.1"), ("", "")],
)
def test_host_of_when_a_header_has_a_port_then_the_host_alone(header, host):
    assert host_of(header) == host


def test_is_loopback_when_the_network_reaches_it_then_false():
    assert not is_loopback("0.0.0.0")
    assert not is_loopback("localhost.evil.lan")
