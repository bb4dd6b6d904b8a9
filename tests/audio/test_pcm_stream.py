import io
import struct

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.audio.errors import (
    AudioFormatError,
    AudioSettingsError,
    DamagedAudioError,
    EmptyAudioError,
    NonFiniteAudioError,
)
from edge.audio.pcm import PcmStream

SAMPLES = np.round(np.random.default_rng(1).uniform(-20_000, 20_000, 4_000)).astype("<i2")
EXPECTED = SAMPLES.astype(np.float32) / 32_768


def stream(rate=16_000, channels=1, channel="mix"):
    return PcmStream("the test", rate=rate, channels=channels, channel=channel, block_ms=20)


def hear(data, cuts=(), **options):
    pcm = stream(**options)
    blocks = []
    for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
        blocks.extend(pcm.push(data[start:end]))
    blocks.extend(pcm.finish())
    return np.concatenate(blocks)


def chunk(name, body, size=None):
    return name + struct.pack("<I", len(body) if size is None else size) + body + b"\0" * (len(body) % 2)


def wav(data, rate=16_000, channels=1, bits=16, tag=1, data_size=None, before=b"", after=b""):
    form = struct.pack("<HHIIHH", tag, channels, rate, 0, 0, bits)
    body = b"WAVE" + chunk(b"fmt ", form) + before + chunk(b"data", data, data_size) + after
    return b"RIFF" + struct.pack("<I", len(body)) + body


def test_pcm_stream_when_raw_then_samples_are_heard():
    np.testing.assert_array_equal(hear(SAMPLES.tobytes()), EXPECTED)


def test_pcm_stream_when_an_odd_byte_ends_it_then_the_byte_is_dropped():
    np.testing.assert_array_equal(hear(SAMPLES.tobytes() + b"\x7f"), EXPECTED)


def test_pcm_stream_when_raw_and_shorter_than_a_wav_header_then_samples_are_heard():
    np.testing.assert_array_equal(hear(SAMPLES[:3].tobytes()), EXPECTED[:3])


def test_pcm_stream_when_raw_stereo_at_48_khz_then_mixed_and_resampled():
    frames = np.repeat(np.full((48_000, 1), 8_192, "<i2"), 2, axis=1)

    block = hear(frames.tobytes(), rate=48_000, channels=2)

    assert block.size == 16_000
    np.testing.assert_allclose(block[1_000:-1_000], 0.25, atol=1e-4)


@settings(max_examples=60, deadline=None)
@given(
    cuts=st.lists(st.integers(0, 8_000), max_size=40).map(sorted),
    header=st.booleans(),
    rate=st.sampled_from([16_000, 44_100]),
)
def test_pcm_stream_when_bytes_are_cut_anywhere_then_sound_is_the_same(cuts, header, rate):
    data = wav(SAMPLES.tobytes(), rate=rate, before=chunk(b"LIST", b"odd")) if header else SAMPLES.tobytes()

    np.testing.assert_array_equal(hear(data, cuts, rate=rate), hear(data, rate=rate))


@pytest.mark.parametrize("size", [None, 0, 0x7FFF_F000, 0x8000_0000, 0xFFFF_FFFF])
def test_pcm_stream_when_wav_size_is_true_or_unknown_then_all_samples_are_heard(size):
    np.testing.assert_array_equal(hear(wav(SAMPLES.tobytes(), data_size=size)), EXPECTED)


def test_pcm_stream_when_wav_has_chunks_around_its_data_then_they_are_not_heard():
    noise = b"\x55\xaa" * 600
    data = wav(SAMPLES.tobytes(), before=chunk(b"LIST", noise + b"x"), after=chunk(b"id3 ", noise))

    np.testing.assert_array_equal(hear(data), EXPECTED)


@settings(max_examples=60, deadline=None)
@given(cuts=st.lists(st.integers(0, 20_000), max_size=20).map(sorted))
def test_pcm_stream_when_one_wav_follows_another_then_both_are_heard(cuts):
    first = wav(SAMPLES.tobytes() + b"x", after=chunk(b"LIST", b"title"))
    second = wav(np.repeat(SAMPLES, 2).tobytes(), channels=2)
    data = first + second
    cuts = [cut for cut in cuts if cut < len(data)]

    np.testing.assert_array_equal(hear(data, cuts), np.concatenate([EXPECTED, EXPECTED]))


def test_pcm_stream_when_sound_goes_on_behind_the_end_of_a_wav_then_it_says_once_that_it_is_not_heard(caplog):
    data = wav(SAMPLES.tobytes()) + SAMPLES.tobytes() * 100

    np.testing.assert_array_equal(hear(data, range(0, len(data), 4_096)), EXPECTED)
    assert caplog.text.count("is not heard; write raw PCM") == 1


def test_pcm_stream_when_it_ends_inside_the_header_of_the_next_wav_then_the_first_is_heard():
    np.testing.assert_array_equal(hear(wav(SAMPLES.tobytes()) + wav(SAMPLES.tobytes())[:30]), EXPECTED)


def test_pcm_stream_when_wav_says_otherwise_then_settings_of_raw_pcm_are_overridden():
    data = wav(SAMPLES.tobytes(), rate=16_000, channels=1)

    np.testing.assert_array_equal(hear(data, rate=48_000, channels=2), EXPECTED)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("container", ["WAV", "WAVEX", "RF64"])
def test_pcm_stream_when_wav_has_any_pcm_encoding_then_hears_what_libsndfile_reads(container, subtype):
    file = io.BytesIO()
    soundfile.write(file, EXPECTED.reshape(-1, 2), 16_000, format=container, subtype=subtype)
    file.seek(0)
    reference, _ = soundfile.read(file, dtype="float32")

    np.testing.assert_allclose(hear(file.getvalue()), reference.mean(axis=1), atol=1e-6)


def test_pcm_stream_when_wav_is_shorter_than_it_says_then_hears_what_came():
    np.testing.assert_array_equal(hear(wav(SAMPLES.tobytes(), data_size=9_000)), EXPECTED)


@pytest.mark.parametrize("container", ["FLAC", "OGG", "AIFF", "MP3"])
def test_pcm_stream_when_bytes_are_another_format_then_error_instead_of_noise(container):
    file = io.BytesIO()
    soundfile.write(file, EXPECTED, 16_000, format=container)
    data = file.getvalue() if container != "MP3" else b"ID3\x04" + file.getvalue()

    with pytest.raises(AudioFormatError, match="ffmpeg") as caught:
        hear(data)
    assert caught.value.exit_code == 65


def test_pcm_stream_when_wav_is_compressed_then_error_names_the_format():
    with pytest.raises(AudioFormatError, match=r"format 0x0007 with 8 bits.*sox"):
        hear(wav(b"\0" * 100, tag=7, bits=8))


def test_pcm_stream_when_float_wav_holds_nan_then_error_65():
    with pytest.raises(NonFiniteAudioError) as caught:
        hear(wav(np.full(100, np.nan, "<f4").tobytes(), tag=3, bits=32))
    assert caught.value.exit_code == 65


def test_pcm_stream_when_channel_is_not_there_then_usage_error():
    with pytest.raises(AudioSettingsError, match="there is no channel 1"):
        hear(wav(SAMPLES.tobytes()), channel=1)


@pytest.mark.parametrize("data", [b"", b"\x01"])
def test_pcm_stream_when_nothing_came_then_empty_error(data):
    with pytest.raises(EmptyAudioError, match="the test ended without any sound") as caught:
        hear(data)
    assert caught.value.exit_code == 65


def test_pcm_stream_when_wav_has_no_samples_then_empty_error():
    with pytest.raises(EmptyAudioError):
        hear(wav(b""))


def test_pcm_stream_when_it_ends_inside_the_header_then_damaged_error():
    with pytest.raises(DamagedAudioError, match="inside its WAV header"):
        hear(wav(b"")[:30])


def test_pcm_stream_when_header_says_no_channels_then_damaged_error():
    with pytest.raises(DamagedAudioError, match="0 channels"):
        hear(wav(b"\0\0", channels=0))


def test_pcm_stream_when_data_comes_before_the_format_then_damaged_error():
    with pytest.raises(DamagedAudioError, match="no fmt chunk"):
        hear(b"RIFF\0\0\0\0WAVE" + chunk(b"data", b"\0\0"))


def test_pcm_stream_when_a_chunk_claims_gigabytes_then_damaged_error_instead_of_waiting():
    with pytest.raises(DamagedAudioError, match="no data within"):
        hear(b"RIFF\0\0\0\0WAVE" + chunk(b"junk", b"", 0xFFFF_0000) + b"\0" * 100)
