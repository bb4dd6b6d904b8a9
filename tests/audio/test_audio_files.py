import os
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from edge.audio.errors import (
    AudioFileAccessError,
    AudioFormatError,
    AudioSettingsError,
    DamagedAudioError,
    EmptyAudioError,
    NonFiniteAudioError,
)
from edge.audio.files import read_file

RATES = (8_000, 16_000, 44_100, 48_000, 96_000)
KINDS = [
    (ending, rate, channels)
    for ending in ("wav", "flac", "ogg", "mp3")
    for rate in RATES
    for channels in (1, 2, 6)
    if ending != "mp3" or (rate <= 48_000 and channels <= 2)
]


def count_descriptors():
    return len(list(Path("/proc/self/fd").iterdir()))


def write_tone(path, rate=16_000, channels=1, seconds=1.0, **options):
    time = np.arange(round(rate * seconds)) / rate
    mono = 0.5 * np.sin(2 * np.pi * 440 * time)
    soundfile.write(path, np.repeat(mono[:, None], channels, axis=1), rate, **options)
    return path


def assert_fails(path, kind, exit_code, *words):
    with pytest.raises(kind) as caught:
        read_file(path)
    message = str(caught.value)
    assert caught.value.exit_code == exit_code
    assert "\n" not in message
    assert str(path) in message
    for word in words:
        assert word in message


@pytest.mark.parametrize(("ending", "rate", "channels"), KINDS)
def test_read_file_when_any_common_format_then_16_khz_mono_with_its_pitch(tmp_path, ending, rate, channels):
    path = write_tone(tmp_path / f"tone.{ending}", rate, channels)

    block = read_file(path)
    # Vorbis takes the last of six channels for a subwoofer, and cuts its highs.
    level = 0.5 / np.sqrt(2) * (5 / 6 if (ending, channels) == ("ogg", 6) and rate in {44_100, 48_000} else 1)

    assert block.dtype == np.float32
    assert block.ndim == 1
    assert block.size == pytest.approx(16_000, abs=800 if ending == "mp3" else 1)
    assert np.abs(np.fft.rfft(block[:16_000], 16_000)).argmax() == 440
    assert block[4_000:12_000].std() == pytest.approx(level, rel=0.05)


@pytest.mark.parametrize(
    "subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"]
)
def test_read_file_when_wav_has_any_encoding_then_level_is_kept(tmp_path, subtype):
    block = read_file(write_tone(tmp_path / "tone.wav", subtype=subtype))

    assert block.std() == pytest.approx(0.5 / np.sqrt(2), rel=0.02)


def test_read_file_when_name_lies_about_the_format_then_contents_decide(tmp_path):
    path = write_tone(tmp_path / "tone.wav", format="FLAC")

    assert read_file(path).size == 16_000


def test_read_file_when_channel_is_chosen_then_only_it_is_heard(tmp_path):
    soundfile.write(tmp_path / "two.wav", np.array([[0.5, -0.25]] * 800), 16_000)

    np.testing.assert_allclose(read_file(tmp_path / "two.wav", 1), -0.25)


def test_read_file_when_channel_is_not_there_then_usage_error(tmp_path):
    with pytest.raises(AudioSettingsError, match="there is no channel 1"):
        read_file(write_tone(tmp_path / "mono.wav"), 1)


def test_read_file_when_file_is_missing_then_error_66(tmp_path):
    assert_fails(tmp_path / "none.wav", AudioFileAccessError, 66, "does not exist")


def test_read_file_when_path_is_a_directory_then_error_66(tmp_path):
    assert_fails(tmp_path, AudioFileAccessError, 66, "is a directory")


def test_read_file_when_path_is_a_named_pipe_then_error_66_instead_of_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe")

    assert_fails(tmp_path / "pipe", AudioFileAccessError, 66, "is a pipe")


def test_read_file_when_path_goes_through_a_file_then_error_66(tmp_path):
    path = write_tone(tmp_path / "tone.wav") / "inner.wav"

    assert_fails(path, AudioFileAccessError, 66, "check the path")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_read_file_when_permission_is_denied_then_error_66(tmp_path):
    path = write_tone(tmp_path / "tone.wav")
    path.chmod(0)

    assert_fails(path, AudioFileAccessError, 66, "no permission to read")


@pytest.mark.parametrize("name", ["text.wav", "text.mp3", "text.flac", "text.raw", "text"])
def test_read_file_when_it_is_text_then_error_65_names_the_way_to_convert(tmp_path, name):
    (tmp_path / name).write_text("This is a shopping list, not a sound.\n" * 20)

    assert_fails(tmp_path / name, AudioFormatError, 65, "no sound", "ffmpeg")


def test_read_file_when_file_has_no_bytes_then_error_65(tmp_path):
    (tmp_path / "empty.wav").touch()

    assert_fails(tmp_path / "empty.wav", EmptyAudioError, 65, "0 bytes")


def test_read_file_when_wav_has_no_samples_then_error_65(tmp_path):
    soundfile.write(tmp_path / "zero.wav", np.zeros(0), 16_000)

    assert_fails(tmp_path / "zero.wav", EmptyAudioError, 65, "no samples")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_read_file_when_a_sample_is_not_finite_then_error_65_says_when(tmp_path, value):
    samples = np.zeros(32_000, dtype=np.float32)
    samples[24_000] = value
    soundfile.write(tmp_path / "bad.wav", samples, 16_000, subtype="FLOAT")

    assert_fails(tmp_path / "bad.wav", NonFiniteAudioError, 65, "1.50 s")


@pytest.mark.parametrize("ending", ["wav", "flac", "mp3"])
def test_read_file_when_truncated_then_error_65(tmp_path, ending):
    path = write_tone(tmp_path / f"half.{ending}", seconds=3.0)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])

    assert_fails(path, DamagedAudioError, 65, "ffmpeg")


def test_read_file_when_mp3_has_no_length_header_then_warns_and_reads_what_libsndfile_gives(tmp_path, caplog):
    path = tmp_path / "streamed.mp3"
    loud = np.random.default_rng(5).uniform(-0.9, 0.9, 96_000)
    quiet_then_loud = np.concatenate([np.zeros(96_000), loud])
    soundfile.write(path, quiet_then_loud, 32_000, bitrate_mode="VARIABLE", compression_level=0.5)
    whole = path.read_bytes()
    path.write_bytes(whole[whole.index(whole[:2], 4) :])

    assert read_file(path).size == pytest.approx(96_000, rel=0.05)
    assert "has no length header" in caplog.text


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3"])
@pytest.mark.parametrize("n_bytes", [1, 4, 12, 30, 60])
def test_read_file_when_only_the_first_bytes_are_there_then_error_65(tmp_path, ending, n_bytes):
    path = write_tone(tmp_path / f"stub.{ending}")
    path.write_bytes(path.read_bytes()[:n_bytes])

    assert_fails(path, (AudioFormatError, DamagedAudioError, EmptyAudioError), 65)


def test_read_file_when_header_says_0_hertz_then_error_65(tmp_path):
    path = write_tone(tmp_path / "tone.wav")
    wav = bytearray(path.read_bytes())
    struct.pack_into("<I", wav, 24, 0)
    path.write_bytes(wav)

    assert_fails(path, AudioFormatError, 65)


@pytest.mark.parametrize("size", [0x7FFF_F000, 0x8000_0000, 0xFFFF_FFFF])
def test_read_file_when_a_recorder_never_wrote_the_size_then_reads_what_is_there(tmp_path, size):
    path = write_tone(tmp_path / "tone.wav")
    wav = bytearray(path.read_bytes())
    struct.pack_into("<I", wav, 40, size)
    path.write_bytes(wav)

    assert read_file(path).size == 16_000


def test_read_file_when_it_fails_many_times_then_no_descriptor_leaks(tmp_path):
    (tmp_path / "text.wav").write_text("no sound")
    before = count_descriptors()
    for _ in range(20):
        with pytest.raises(AudioFormatError):
            read_file(tmp_path / "text.wav")
        read_file(write_tone(tmp_path / "tone.wav", seconds=0.1))

    assert count_descriptors() == before
