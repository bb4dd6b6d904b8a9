import msgspec
import numpy as np
import pytest
import soundfile

from edge.audio.errors import AudioError, AudioSettingsError
from edge.audio.settings import AudioSettings, SourceKind
from edge.audio.sources import open_source


def test_open_source_when_file_then_its_settings_are_obeyed(tmp_path):
    path = tmp_path / "two.wav"
    soundfile.write(path, np.array([[0.5, -0.25]] * 1_600), 16_000)
    settings = AudioSettings(source=SourceKind.FILE, path=str(path), channel=1, block_ms=10)

    blocks = list(open_source(settings).blocks())

    assert [block.size for block in blocks] == [160] * 10
    np.testing.assert_allclose(np.concatenate(blocks), -0.25)


def test_open_source_when_command_then_raw_rate_and_channels_are_obeyed():
    settings = AudioSettings(
        source=SourceKind.COMMAND, command=["head", "-c", "192000", "/dev/zero"], rate=48_000, channels=2
    )

    assert sum(block.size for block in open_source(settings).blocks()) == 16_000


@pytest.mark.parametrize("kind", list(SourceKind))
def test_open_source_when_any_kind_then_it_can_be_closed_unused(kind, tmp_path):
    source = open_source(AudioSettings(source=kind, path=str(tmp_path), command="true"))
    source.close()

    assert list(source.blocks()) == []


def test_audio_settings_when_read_from_toml_then_types_are_kept():
    settings = msgspec.toml.decode(
        'source = "command"\ncommand = ["arecord", "-q"]\nchannel = 1\nbuffer_s = 2', type=AudioSettings
    )

    assert settings.source is SourceKind.COMMAND
    assert settings.command == ["arecord", "-q"]
    assert settings.channel == 1
    assert settings == msgspec.convert(msgspec.to_builtins(settings), AudioSettings)


@pytest.mark.parametrize(
    "text",
    ["devise = 'x'", "source = 'radio'", "channel = 'left'", "channel = -1", "device = 2", "rate = 'fast'"],
)
def test_audio_settings_when_toml_is_wrong_then_validation_error(text):
    with pytest.raises(msgspec.ValidationError):
        msgspec.toml.decode(text, type=AudioSettings)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"source": SourceKind.FILE}, "path is not set"),
        ({"source": SourceKind.COMMAND}, "command is not set"),
        ({"device": " "}, "device is empty"),
        ({"rate": 0}, "rate is 0 Hz"),
        ({"channels": 0}, "channels is 0"),
        ({"device_rate": 10}, "device_rate is 10 Hz"),
        ({"channel": -1}, "channel is -1"),
        ({"buffer_s": 0.0}, "buffer_s is 0.0"),
        ({"buffer_s": float("nan")}, "buffer_s is nan"),
        ({"block_ms": 0}, "block_ms is 0"),
        ({"block_ms": 900, "buffer_s": 1.0}, "shorten the blocks"),
    ],
)
def test_audio_settings_when_they_make_no_sense_then_usage_error_and_validation_error(fields, words):
    with pytest.raises(AudioSettingsError, match=words) as caught:
        AudioSettings(**fields)
    assert caught.value.exit_code == 64
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({k: str(v) if k == "source" else v for k, v in fields.items()}, AudioSettings)


def test_audio_errors_when_listed_then_every_exit_code_is_a_sysexit_of_this_room():
    kinds = AudioError.__subclasses__()

    assert len(kinds) > 10
    assert {kind.exit_code for kind in kinds} <= {64, 65, 66, 69}
    assert all(kind.__doc__ and kind.__doc__.startswith("Raised when") for kind in kinds)


def test_audio_room_when_sources_are_imported_then_no_sound_library_is_loaded(run_python):
    result = run_python("""
        import sys
        import edge.audio.settings
        assert "numpy" not in sys.modules
        import edge.audio.sources, edge.audio.microphone, edge.audio.file_source
        import edge.audio.command, edge.audio.stdin
        print(sorted({"pyaudio", "soundfile", "soxr", "_soundfile"} & set(sys.modules)))
        """)

    assert result.stdout == b"[]\n"
