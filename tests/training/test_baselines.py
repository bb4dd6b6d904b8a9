import importlib.util
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import msgspec
import numpy as np
import pytest
from voices import LABELS, TINY_TOML, voice

from training.baselines import egemaps, level, librosa_means
from training.baselines.classical import run_classical
from training.baselines.errors import BaselineError
from training.baselines.vectors import load_vectors
from training.cli import main
from training.clips import Clip
from training.corpora import read_corpus
from training.protocols import plan

pytestmark = pytest.mark.training

HAS_OPENSMILE = importlib.util.find_spec("opensmile") is not None


def loudness(signal):
    """A feature vector that takes no time: the energy in three bands."""
    spectrum = np.abs(np.fft.rfft(signal, 9_600)) ** 2
    return np.log([spectrum[low:high].sum() for low, high in ((0, 300), (300, 1_000), (1_000, 4_800))])


def elsewhere(extract, *signals):
    """The vector of each: openSMILE takes a process down in which TensorFlow is loaded, as it may be here."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(extract, signals))


def test_baseline_command_when_librosa_mlp_then_figures_in_the_schema_of_the_protocols(
    corpus_table, tmp_path, capsys
):
    command = [
        "baseline", "librosa-mlp", "--protocol", "P1", "--corpus", f"csv={corpus_table}", "--folds", "2",
        "--jobs", "1",
        "--cache", str(tmp_path / "cache"), "--results", str(tmp_path / "results"),
    ]  # fmt: skip
    assert main(command) == 0

    result = msgspec.json.decode((tmp_path / "results" / "P1-in-librosa-mlp.json").read_bytes())
    assert result["command"].startswith("affectd-train baseline librosa-mlp --protocol P1 --seeds 1")
    assert result["labels"] == sorted(LABELS)
    assert result["int8"] is None
    assert result["float"]["uar"] > 0.8
    assert [row["fold"] for row in result["per_fold"]] == [2]
    assert sum(map(sum, result["confusion_float"])) == 27
    assert result["model"]["macs"] < result["model"]["parameters"] < result["model"]["file_bytes"]
    assert f"UAR {result['float']['uar']:.1%}" in capsys.readouterr().out


def test_baseline_command_when_another_network_then_it_takes_the_place_of_the_recipes(corpus_table, tmp_path):
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(TINY_TOML.format(epochs=1, validation_speakers=0))
    command = [
        "baseline", "light-sernet", "--protocol", "P1", "--corpus", f"csv={corpus_table}", "--folds", "2",
        "--jobs", "1", "--recipe", str(recipe), "--runs", str(tmp_path / "runs"),
        "--log", str(tmp_path / "log"), "--cache", str(tmp_path / "cache"),
        "--results", str(tmp_path / "results"),
    ]  # fmt: skip
    assert main(command) == 0

    result = msgspec.json.decode((tmp_path / "results" / "P1-in-light-sernet.json").read_bytes())
    assert result["model"]["name"] == "light-sernet"
    assert result["note"].startswith("Three parallel convolutions")
    assert 0.0 <= result["int8"]["uar"] <= 1.0
    assert result["per_fold"][0]["fold"] == 2
    assert (tmp_path / "runs" / "light-sernet" / "P1-in" / "seed0-fold2" / "network.keras").exists()


def test_load_vectors_when_a_clip_is_known_then_it_is_not_computed_again(corpus_table, tmp_path):
    clips = read_corpus("csv", corpus_table).clips[:4]
    vectors, problems = load_vectors(clips, loudness, tmp_path, 1)
    np.save(min(tmp_path.iterdir()), np.array([1.0, 2.0, 3.0], np.float32))

    again, _ = load_vectors(clips, loudness, tmp_path, 1)
    changed = [path for path in vectors if not np.array_equal(vectors[path], again[path])]
    assert problems == []
    assert len(changed) == 1
    np.testing.assert_array_equal(again[changed[0]], [1.0, 2.0, 3.0])


def test_load_vectors_when_a_clip_is_no_audio_then_it_is_named_and_left_out(corpus_table, tmp_path):
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"no sound")
    clips = [*read_corpus("csv", corpus_table).clips[:2], Clip(broken, "tones", "s9", "sad")]
    vectors, (problem,) = load_vectors(clips, loudness, tmp_path / "cache", 1)

    assert len(vectors) == 2
    assert problem.where == str(broken)


def test_run_classical_when_a_clip_has_no_vector_then_it_is_not_scored(corpus_table, tmp_path):
    protocol = plan("P1", read_corpus("csv", corpus_table).clips)
    clips = [clip for split in protocol.splits for clip in split.test]
    vectors, _ = load_vectors(clips[1:], loudness, tmp_path, 1)
    result = run_classical("egemaps-svm", protocol, vectors, [0], "a command")

    assert sum(map(sum, result["confusion_float"])) == len(clips) - 1
    assert result["float"]["uar"] > 0.8
    assert result["model"]["name"] == "egemaps-svm"


def test_librosa_means_when_a_recording_then_180_finite_numbers():
    vector = librosa_means.extract(voice("sad", 0, 0))

    assert vector.shape == (180,)
    assert np.isfinite(vector).all()


def test_level_when_half_as_loud_then_six_decibels_less():
    signal = voice("sad", 0, 0)

    assert level.extract(signal) - level.extract(signal / 2) == pytest.approx(6.02, abs=0.01)


@pytest.mark.parametrize("gain", [0.01, 1.0, 3.0])
def test_at_one_level_when_the_gain_differs_then_the_same_recording(gain):
    signal = voice("sad", 0, 0)
    one = level.at_one_level(gain * signal)

    np.testing.assert_allclose(one, level.at_one_level(signal), atol=1e-6)
    assert level.extract(one) == pytest.approx(level.ONE_LEVEL_DB, abs=0.01)


@pytest.mark.parametrize("n", [0, 16_000])
def test_at_one_level_when_there_is_no_sound_then_none_is_made(n):
    silence = np.zeros(n, np.float32)

    np.testing.assert_array_equal(level.at_one_level(silence), silence)
    assert level.extract(silence) == [-120.0]


def test_baseline_command_when_level_svm_then_one_number_a_clip_is_all_that_it_knows(corpus_table, tmp_path):
    command = [
        "baseline", "level-svm", "--protocol", "P1", "--corpus", f"csv={corpus_table}", "--jobs", "1",
        "--cache", str(tmp_path / "cache"), "--results", str(tmp_path / "results"),
    ]  # fmt: skip
    assert main(command) == 0

    result = msgspec.json.decode((tmp_path / "results" / "P1-in-level-svm.json").read_bytes())
    assert result["model"]["name"] == "level-svm"
    vectors = [np.load(path) for path in (tmp_path / "cache" / "level-svm").iterdir()]
    assert {v.shape for v in vectors} == {(1,)}


@pytest.mark.skipif(not HAS_OPENSMILE, reason="openSMILE is not installed")
def test_egemaps_at_one_level_when_the_gain_differs_then_the_same_features():
    signal = voice("sad", 0, 0)

    soft, loud = elsewhere(level.egemaps_at_one_level, 0.1 * signal, signal)
    np.testing.assert_allclose(soft, loud, rtol=1e-3, atol=1e-3)
    soft, loud = elsewhere(egemaps.extract, 0.1 * signal, signal)
    assert not np.allclose(soft, loud, rtol=1e-2)


@pytest.mark.skipif(not HAS_OPENSMILE, reason="openSMILE is not installed")
def test_egemaps_when_a_recording_then_88_finite_numbers():
    (vector,) = elsewhere(egemaps.extract, voice("sad", 0, 0))

    assert vector.shape == (88,)
    assert np.isfinite(vector).all()


@pytest.mark.skipif(HAS_OPENSMILE, reason="openSMILE is installed")
def test_egemaps_when_opensmile_is_missing_then_it_says_what_to_install():
    with pytest.raises(BaselineError, match=r"pip install '\.\[baselines\]'") as caught:
        egemaps.extract(voice("sad", 0, 0))
    assert caught.value.exit_code == 69
