"""`affectd classify` as a process: what it prints, for which files, and with which exit code."""

import json
import os
import subprocess

import numpy as np
import pytest
import soundfile
import soxr
from support.programs import AFFECTD, affectd, environment
from support.sound import DEMO_SPEECH, RATE, pcm

from edge.audio.files import read_file

KEYS = ["file", "emotion", "confidence", "probabilities", "arousal", "valence", "seconds"]

FORMS = [
    ("wav", 8_000, 1),
    ("wav", 96_000, 6),
    ("flac", 44_100, 2),
    ("flac", 22_050, 6),
    ("ogg", 48_000, 2),
    ("mp3", 32_000, 1),
    ("mp3", 48_000, 2),
]


@pytest.fixture(scope="module")
def utterance():
    return read_file(DEMO_SPEECH)[: 4 * RATE]


def write(path, mono, rate=RATE, channels=1, **options):
    samples = soxr.resample(mono, RATE, rate, "VHQ") if rate != RATE else mono
    soundfile.write(path, np.repeat(samples[:, None], channels, axis=1), rate, **options)
    return path


def assert_one_line(run, exit_code, *words):
    assert run.returncode == exit_code, run.stderr
    (line,) = run.stderr.splitlines()
    assert line.startswith("affectd: ")
    for word in words:
        assert word in line


def test_classify_when_asked_for_json_then_one_object_a_line_with_the_keys_of_the_contract(
    tmp_path, model, utterance
):
    paths = [
        write(tmp_path / f"clip{n}.{kind}", utterance, rate, count)
        for n, (kind, rate, count) in enumerate(FORMS)
    ]
    run = affectd("classify", "--json", *paths)

    assert run.returncode == 0
    assert run.stderr == ""
    results = [json.loads(line) for line in run.stdout.splitlines()]
    assert [one["file"] for one in results] == [str(path) for path in paths]
    for one in results:
        assert list(one) == KEYS
        assert list(one["probabilities"]) == list(model.card.labels)
        assert sum(one["probabilities"].values()) == pytest.approx(1.0, abs=1e-3)
        assert one["confidence"] == max(one["probabilities"].values())
        assert -1.0 <= one["arousal"] <= 1.0
        assert -1.0 <= one["valence"] <= 1.0
        assert one["seconds"] == pytest.approx(4.0, abs=0.1)


def test_classify_when_the_same_samples_come_in_another_container_then_the_answer_is_the_same(
    tmp_path, utterance
):
    # Whole numbers, which libsndfile rounds alike for every container.
    whole = np.frombuffer(pcm(utterance), "<i2")
    plain = write(tmp_path / "plain.wav", whole)
    others = [
        write(tmp_path / "plain.flac", whole),
        write(tmp_path / "lying.mp3", whole, format="WAV"),
        write(tmp_path / "stereo.wav", whole, channels=2),
        write(tmp_path / "six.flac", whole, channels=6),
    ]
    run = affectd("classify", "--json", plain, *others)
    first, *rest = [json.loads(line)["probabilities"] for line in run.stdout.splitlines()]

    assert len(rest) == len(others)
    # The mean of six equal channels may differ from them in the last bit, and that turn an int8 over.
    assert all(one == pytest.approx(first, abs=0.01) for one in rest)


def test_classify_when_read_by_people_then_a_line_has_emotion_bar_and_file():
    run = affectd("classify", DEMO_SPEECH)

    assert run.returncode == 0
    assert run.stderr == ""
    (line,) = run.stdout.splitlines()
    assert str(DEMO_SPEECH) in line
    assert "█" in line
    assert "36.2 s" in line


def test_classify_when_one_of_several_is_bad_then_the_others_are_answered(tmp_path):
    run = affectd("classify", "--json", DEMO_SPEECH, tmp_path / "none.wav", DEMO_SPEECH)

    assert_one_line(run, 66, str(tmp_path / "none.wav"))
    assert len(run.stdout.splitlines()) == 2


def test_classify_when_several_are_bad_then_a_line_for_each_and_the_first_code(tmp_path):
    (tmp_path / "text.wav").write_text("no sound at all")
    run = affectd("classify", tmp_path / "text.wav", tmp_path / "none.wav")

    assert run.returncode == 65
    assert len(run.stderr.splitlines()) == 2
    assert run.stdout == ""


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_classify_when_a_name_is_no_utf_8_then_it_is_named_all_the_same_and_the_others_are_judged(
    tmp_path, utterance, options
):
    plain = write(tmp_path / "plain.wav", utterance)
    foreign, missing = (tmp_path / os.fsdecode(name) for name in (b"caf\xe9.wav", b"th\xe9.wav"))
    foreign.write_bytes(plain.read_bytes())
    run = affectd("classify", *options, foreign, missing, plain)

    assert_one_line(run, 66, "th\ufffd.wav")
    first, second = run.stdout.splitlines()
    assert "caf\ufffd.wav" in first
    assert "plain.wav" in second


def test_classify_when_its_reader_has_enough_then_it_ends_without_complaint():
    command = [*AFFECTD, "classify", "--json", *[str(DEMO_SPEECH)] * 3]
    with subprocess.Popen(
        command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        process.stdout.close()
        stderr = process.stderr.read()

    assert stderr == ""
    assert process.returncode == 0


@pytest.mark.corpora
def test_classify_when_given_labelled_clips_then_each_is_answered(ravdess, model):
    run = affectd("classify", "--json", *ravdess)

    assert run.returncode == 0
    assert run.stderr == ""
    emotions = {json.loads(line)["emotion"] for line in run.stdout.splitlines()}
    assert emotions <= {*model.card.labels, "uncertain"}


def no_such(path):
    return path


def text(path):
    path.write_text("This is a shopping list, not a sound.\n" * 20)
    return path


def no_bytes(path):
    path.touch()
    return path


def no_samples(path):
    return write(path, np.zeros(0))


def too_short(path):
    return write(path, 0.3 * np.sin(np.arange(RATE // 20)))


def all_zero(path):
    return write(path, np.zeros(2 * RATE))


def not_a_number(path):
    return write(path, np.where(np.arange(2 * RATE) == RATE, np.nan, 0.1), subtype="FLOAT")


def half(path):
    whole = write(path, 0.3 * np.sin(np.arange(2 * RATE))).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return path


@pytest.mark.parametrize(
    ("make", "exit_code", "words"),
    [
        (no_such, 66, "does not exist"),
        (text, 65, "no sound"),
        (no_bytes, 65, "0 bytes"),
        (no_samples, 65, "no samples"),
        (too_short, 65, "0.05 s"),
        (all_zero, 65, "no speech"),
        (not_a_number, 65, "1.00 s"),
        (half, 65, "truncated"),
    ],
)
def test_classify_when_the_file_is_unfit_then_one_line_and_its_exit_code(make, exit_code, words, tmp_path):
    path = make(tmp_path / "clip.wav")
    run = affectd("classify", "--json", path)

    assert_one_line(run, exit_code, str(path), words)
    assert run.stdout == ""


def test_classify_when_the_path_is_a_folder_then_66(tmp_path):
    assert_one_line(affectd("classify", tmp_path), 66, "is a directory")
