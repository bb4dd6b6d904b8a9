"""The configuration tree: files, the command line over them, and what is said when something is wrong."""

import tomllib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import config as config_module
from edge.audio.settings import AudioSettings
from edge.config import Config, ConfigError, Loaded, LogLevel, describe, load
from edge.mqtt.settings import PASSWORD_VARIABLE, MqttSettings


@pytest.fixture
def file(tmp_path):
    return tmp_path / "affectd.toml"


def error_of(file, text, overrides=None):
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(file, overrides)
    message = str(caught.value)
    assert caught.value.exit_code == 78
    assert "\n" not in message
    return message


def test_load_when_nothing_is_given_then_all_is_default():
    loaded = load(read_default=False)

    assert loaded.config == Config()
    assert loaded.origins == {}


def test_load_when_file_and_command_line_differ_then_the_command_line_wins_and_origins_say_so(file):
    file.write_text('[mqtt]\nhost = "a"\nport = 1884\n[log]\nlevel = "debug"\n')
    loaded = load(file, {"mqtt": {"host": "b"}})

    assert (loaded.config.mqtt.host, loaded.config.mqtt.port) == ("b", 1884)
    assert loaded.config.log.level is LogLevel.DEBUG
    assert loaded.origins == {"mqtt.host": "command line", "mqtt.port": str(file), "log.level": str(file)}


def test_load_when_there_is_a_default_file_then_it_is_read_unless_told_not_to(file, monkeypatch):
    file.write_text("[mqtt]\nport = 1999\n")
    monkeypatch.setattr(config_module, "DEFAULT_FILE", file)

    assert load().config.mqtt.port == 1999
    assert load(read_default=False).config.mqtt.port == 1883


@pytest.mark.parametrize("missing", ["none.toml", "affectd.toml/none.toml"])
def test_load_when_there_is_no_default_file_then_all_is_default(file, missing, monkeypatch):
    file.write_text("")
    monkeypatch.setattr(config_module, "DEFAULT_FILE", file.parent / missing)

    assert load().config == Config()


def test_load_when_the_default_file_cannot_be_looked_at_then_error_says_so(file, monkeypatch):
    file.symlink_to(file)
    monkeypatch.setattr(config_module, "DEFAULT_FILE", file)

    with pytest.raises(ConfigError, match="cannot be read"):
        load()


def test_load_when_the_file_is_missing_or_a_folder_then_error_names_it(file, tmp_path):
    with pytest.raises(ConfigError, match=r"affectd\.toml: cannot be read: No such file"):
        load(file)
    with pytest.raises(ConfigError, match="Is a directory"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[mqtt\n", "is not TOML"),
        (f"mqtt = {'[' * 5_000}\n", "is not TOML"),
        ("[mqtt]\nhots = 'x'", "unknown key 'hots' in [mqtt]; did you mean 'host'?"),
        ("[mqtt]\npassword = 'x'", "did you mean 'password_file'?"),
        ("[mqtt]\nxyz = 'x'", "use one of host, port"),
        ("[turn]\nonset_s = 1", "unknown table [turn]; did you mean 'turns'?"),
        ("[zzz]\na = 1", "use one of audio, gate"),
        ("rate = 8000", "rate is in no table; put it below [audio]"),
        ("password_file = 'x'", "put it below [mqtt] or [broker]"),
        ("mqtt = 3", "mqtt is a table; write [mqtt]"),
        ("[mqtt]\nport = '1883'", "mqtt.port: Expected `int`, got `str`"),
        ("[log]\nlevel = 'loud'", "log.level: Invalid enum value 'loud'"),
        ("[audio]\ncommand = ['a', 3]", "audio.command: Expected `str`, got `int`"),
        ("[mqtt]\nport = 0", "mqtt: port is 0"),
        ("[turns]\nonset_s = -1", "turns: onset_s is -1"),
        ("[broker]\nembedded = true\nport = 1999", "set mqtt.port and broker.port to the same"),
    ],
)
def test_load_when_the_file_is_wrong_then_error_names_file_key_and_remedy(file, text, words):
    message = error_of(file, text)

    assert message.startswith(f"{file}: ")
    assert words in message


def test_load_when_the_file_is_not_utf8_then_error_names_it(file):
    file.write_bytes(b"[mqtt]\nhost = '\xff'\n")
    with pytest.raises(ConfigError, match=r"affectd\.toml: is not UTF-8"):
        load(file)


def test_load_when_the_command_line_is_wrong_then_error_names_it_and_not_the_file(file):
    message = error_of(file, '[mqtt]\nhost = "a"', {"audio": {"rate": 5}})

    assert message == "command line: audio: rate is 5 Hz; it must be 1000 to 768000"


def test_load_when_the_embedded_broker_is_not_the_one_published_to_then_any_port_will_do(file):
    file.write_text('[broker]\nembedded = true\nport = 1999\n[mqtt]\nhost = "elsewhere.lan"\n')

    assert load(file).config.broker.port == 1999


def test_describe_when_all_is_default_then_is_toml_of_the_whole_tree():
    tables = tomllib.loads(describe(load(read_default=False)))

    assert msgspec.convert(tables, Config) == Config()
    assert set(tables) == set(Config.__struct_fields__)


def test_describe_when_values_come_from_several_places_then_each_line_says_which(file):
    file.write_text("[mqtt]\nport = 1884\n")
    lines = describe(load(file, {"mqtt": {"host": "b"}})).splitlines()

    assert next(line for line in lines if line.startswith("port = 1884")).endswith(f"# {file}")
    assert next(line for line in lines if line.startswith('host = "b"')).endswith("# command line")
    assert next(line for line in lines if line.startswith("keepalive_s")).endswith("# default")
    assert next(line for line in lines if line.startswith("# username is not set")).endswith("# default")


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(
    device=TEXT.filter(str.strip),
    command=st.lists(TEXT, min_size=1) | TEXT,
    buffer_s=st.floats(0.1, 60.0),
    channel=st.integers(0, 2**31) | st.just("mix"),
)
def test_describe_when_values_are_any_then_reading_it_gives_the_same_configuration(
    device, command, buffer_s, channel
):
    audio = AudioSettings(device=device, command=command, buffer_s=buffer_s, channel=channel, block_ms=10)
    config = Config(audio=audio)
    text = describe(Loaded(config=config, origins={}))

    assert msgspec.convert(tomllib.loads(text), Config) == config


def test_describe_when_there_is_a_password_then_it_is_not_shown(tmp_path, monkeypatch):
    secret = tmp_path / "password"
    secret.write_text("correct horse")
    monkeypatch.setenv(PASSWORD_VARIABLE, "battery staple")
    mqtt = MqttSettings(username="pi", password_file=str(secret))
    text = describe(Loaded(config=Config(mqtt=mqtt), origins={}))

    assert mqtt.password() == "battery staple"
    assert "horse" not in text
    assert "staple" not in text
