import os

import numpy as np
import pytest
import soundfile
from voices import LABELS, voice

from edge.audio.files import read_file
from edge.frontend.mfcc_config import MfccConfig
from edge.inference.clip import speech_frames
from training.clips import Clip
from training.features import FeatureCache


@pytest.fixture
def clips(tmp_path):
    made = []
    for i, label in enumerate(LABELS):
        path = tmp_path / "audio" / f"{label}.wav"
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, voice(label, i, 0), 16_000)
        made.append(Clip(path, "tones", f"s{i}", label))
    return made


@pytest.fixture
def cache(tmp_path):
    return FeatureCache(tmp_path / "cache", MfccConfig())


def kept(tmp_path):
    return sorted((tmp_path / "cache").rglob("*.npy"))


def test_features_when_loaded_then_those_of_the_device_in_order(clips, cache):
    examples, problems = cache.load(clips, workers=1)

    assert problems == []
    assert [example.clip for example in examples] == clips
    for example in examples:
        expected = speech_frames(read_file(example.clip.path), MfccConfig())
        np.testing.assert_array_equal(example.frames, expected)


def test_features_when_loaded_again_then_nothing_is_computed(clips, cache, tmp_path):
    first, _ = cache.load(clips, workers=1)
    stamps = [path.stat().st_mtime_ns for path in kept(tmp_path)]
    # The same name, size and time over other bytes: whoever read the audio again would fail.
    for clip in clips:
        stat = clip.path.stat()
        clip.path.write_bytes(b"x" * stat.st_size)
        os.utime(clip.path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    again, problems = cache.load(clips, workers=1)

    assert problems == []
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a.frames, b.frames)
    assert [path.stat().st_mtime_ns for path in kept(tmp_path)] == stamps


def test_features_when_a_file_changes_then_it_alone_is_computed_anew(clips, cache, tmp_path):
    before, _ = cache.load(clips, workers=1)
    soundfile.write(clips[0].path, voice("sad", 3, 7)[:8_000], 16_000)
    after, _ = cache.load(clips, workers=1)

    assert len(kept(tmp_path)) == 4
    assert not np.array_equal(after[0].frames, before[0].frames)
    np.testing.assert_array_equal(after[1].frames, before[1].frames)


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: b"",
        lambda whole: whole[:3],
        lambda whole: whole[: len(whole) // 2],
        lambda whole: bytes(len(whole)),
        lambda whole: b"PK\x03\x04" + whole[4:],
        lambda whole: whole.replace(b"<f4", b"<f8"),
        lambda whole: whole.replace(b", 40)", b", 39)"),
        lambda whole: whole[:-4] + np.float32(np.nan).tobytes(),
    ],
    ids=["empty", "stub", "half", "zeros", "zip", "type", "shape", "nan"],
)
def test_features_when_the_cache_is_damaged_then_computed_anew(clips, cache, tmp_path, damage):
    first, _ = cache.load(clips, workers=1)
    for path in kept(tmp_path):
        path.write_bytes(damage(path.read_bytes()))
    again, problems = cache.load(clips, workers=1)

    assert problems == []
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a.frames, b.frames)


def test_features_when_the_front_end_differs_then_in_another_folder(clips, tmp_path):
    for config in (MfccConfig(), MfccConfig(n_mels=32, n_mfcc=32)):
        examples, _ = FeatureCache(tmp_path / "cache", config).load(clips, workers=1)
        assert examples[0].frames.shape[1] == config.n_features

    assert len(list((tmp_path / "cache").iterdir())) == 2
    assert len(kept(tmp_path)) == 2 * len(clips)


def test_features_when_some_audio_is_unreadable_then_told_and_the_rest_is_used(clips, cache, tmp_path):
    bad = {
        "text.wav": b"this is no sound",
        "empty.wav": b"",
        "cut.wav": clips[0].path.read_bytes()[:5_000],
    }
    for name, content in bad.items():
        (tmp_path / "audio" / name).write_bytes(content)
    soundfile.write(tmp_path / "audio" / "short.wav", voice("sad", 1, 1)[:800], 16_000)
    soundfile.write(tmp_path / "audio" / "mute.wav", np.zeros(16_000), 16_000)
    names = [*bad, "short.wav", "mute.wav", "gone.wav"]
    worse = [Clip(tmp_path / "audio" / name, "tones", "s9", "sad") for name in names]
    told = []
    examples, problems = cache.load(
        [worse[0], *clips, *worse[1:]], lambda *done: told.append(done), workers=2
    )

    assert [example.clip for example in examples] == clips
    assert [problem.where for problem in problems] == [str(clip.path) for clip in worse]
    for problem, word in zip(
        problems,
        ["no sound", "0 bytes", "truncated", "too short", "no speech", "does not exist"],
        strict=True,
    ):
        assert word in problem.why
    assert told == [(i, 9) for i in range(1, 10)]


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg", "mp3"])
def test_features_when_any_format_and_rate_then_they_are_there(cache, tmp_path, kind):
    path = tmp_path / f"clip.{kind}"
    soundfile.write(path, np.repeat(voice("neutral", 0, 0), 3), 48_000)
    examples, problems = cache.load([Clip(path, "tones", "s", "neutral")], workers=1)

    assert problems == []
    assert 40 <= len(examples[0].frames) <= 70
