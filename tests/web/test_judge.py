"""A recording in memory: decoded as a file is, no further than allowed, and for as long as somebody waits."""

import numpy as np
import pytest
import soundfile
from support.sound import DEMO_SPEECH, RATE

from edge.audio.files import read_file
from edge.config import Config
from edge.inference.model import EmotionModel
from edge.web.errors import RequestError, StoppedError
from edge.web.judge import Judge, decode


@pytest.mark.parametrize(
    ("kind", "rate", "channels"),
    [("WAV", 8_000, 1), ("FLAC", 44_100, 3), ("OGG", 48_000, 2), ("MP3", 32_000, 2)],
)
def test_decode_when_a_file_is_in_memory_then_it_is_heard_as_from_disk(tmp_path, kind, rate, channels):
    path = tmp_path / "sound"
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)
    soundfile.write(path, np.repeat(tone[:, None], channels, axis=1), rate, format=kind)
    assert np.array_equal(decode(path.read_bytes(), 60.0), read_file(path))


def test_decode_when_a_recording_is_as_long_as_allowed_then_taken_and_a_sample_more_is_not(tmp_path):
    path = tmp_path / "sound.wav"
    soundfile.write(path, np.zeros(2 * RATE), RATE)
    assert len(decode(path.read_bytes(), 2.0)) == 2 * RATE
    soundfile.write(path, np.zeros(2 * RATE + 1), RATE)
    with pytest.raises(RequestError, match="longer than 2 s") as refused:
        decode(path.read_bytes(), 2.0)
    assert refused.value.status == 413


@pytest.mark.parametrize("looks", [0, 1, 20])
def test_judge_when_nobody_waits_any_more_then_it_stops_at_the_next_look(looks):
    left = iter([False] * looks)
    with pytest.raises(StoppedError):
        Judge(EmotionModel, Config()).judge(DEMO_SPEECH.read_bytes(), True, lambda: next(left, True))
    assert next(left, None) is None
