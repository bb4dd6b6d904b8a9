"""The workbench as a command, and runs that several tests look at."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from voices import LABELS, TINY, TINY_TOML, write_corpus

import edge
from training.corpora import read_corpus
from training.features import FeatureCache

ROOT = Path(edge.__file__).parents[1]

# One core for each child and for this process: the tests share the machine.
for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ.setdefault(name, "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@pytest.fixture(scope="session")
def train(tmp_path_factory):
    """Starts `affectd-train` as a user does, with standard error no terminal, in a folder of its own."""
    place = tmp_path_factory.mktemp("somewhere")

    def start(*arguments):
        return subprocess.Popen(
            [sys.executable, "-m", "training.cli", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=place,
            env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80"},
        )

    return start


@pytest.fixture(scope="session")
def corpus_table(tmp_path_factory):
    """A corpus on disk, described by a CSV, which calls itself RAVDESS to fit a protocol."""
    return write_corpus(tmp_path_factory.mktemp("corpus"), speakers=6, takes=3, folds=2)


@pytest.fixture(scope="session")
def corpus(corpus_table, tmp_path_factory):
    """Its clips with their features."""
    clips = read_corpus("csv", corpus_table).clips
    examples, problems = FeatureCache(tmp_path_factory.mktemp("cache"), TINY.mfcc_config).load(
        clips, workers=1
    )
    assert problems == []
    return examples


@pytest.fixture(scope="session")
def finished_run(corpus, tmp_path_factory):
    """A tiny training, run to its end: its folder, what it says of itself, and the epochs that it told."""
    from training.fit import fit  # noqa: PLC0415  # TensorFlow must first be told the number of cores

    folder = tmp_path_factory.mktemp("runs") / "tiny"
    told = []
    info = fit(corpus, LABELS, TINY, folder, told.append)
    return folder, info, told


@pytest.fixture(scope="session")
def recipes(tmp_path_factory):
    """The recipe of the finished run, and one of a single epoch without validation."""
    folder = tmp_path_factory.mktemp("recipes")
    (folder / "tiny.toml").write_text(TINY_TOML.format(epochs=TINY.epochs, validation_speakers=2))
    (folder / "once.toml").write_text(TINY_TOML.format(epochs=1, validation_speakers=0))
    return folder


@pytest.fixture(scope="session")
def evaluated(train, corpus_table, recipes, tmp_path_factory):
    """P1 on the tones, both folds side by side: the folder, and what was printed."""
    folder = tmp_path_factory.mktemp("evaluated")
    child = train(
        "evaluate", "--protocol", "P1", "--corpus", f"csv={corpus_table}", "--recipe", recipes / "once.toml",
        "--jobs", 2, "--cache", folder / "cache", "--runs", folder / "runs", "--results", folder / "results",
        "--log", folder / "runs.jsonl",
    )  # fmt: skip
    out, err = child.communicate(timeout=280)
    assert child.returncode == 0, err
    return folder, out, err
