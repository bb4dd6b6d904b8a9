"""The labelled corpora themselves, where they are at hand."""

import csv
from collections import Counter, defaultdict
from pathlib import Path

import pytest

import edge
from edge.inference.circumplex import circumplex
from training.clips import EMOTIONS
from training.corpora import read_corpus
from training.protocols import IN_CORPUS, SHIPPED_LABELS, plan

pytestmark = pytest.mark.corpora

ROOT = Path(edge.__file__).parents[1]
COUNTS = {
    "ravdess": 1440,
    "ravdess_song": 1012,
    "tess": 2800,
    "emodb": 535,
    "urdu": 400,
    "nemo": 4481,
    "ased": 2474,
}
FOLDS = {"P1": 6, "P2": 10, "P3": 2, "P4": 5, "P5": 3, "P6": 5}
CLASSES = {"P1": 8, "P2": 7, "P3": 7, "P4": 4, "P5": 6, "P6": 5}


@pytest.fixture(scope="module")
def manifest(corpora):
    return read_corpus("manifest", corpora / "manifest.csv")


@pytest.fixture(scope="module")
def rows(corpora):
    with (corpora / "manifest.csv").open(newline="", encoding="utf-8") as lines:
        return {row["path"]: row for row in csv.DictReader(lines)}


def test_manifest_when_read_then_every_clip_of_every_corpus(manifest):
    assert manifest.problems == []
    assert Counter(clip.corpus for clip in manifest.clips) == COUNTS


def test_manifest_when_read_then_folds_and_labels_are_its_own(manifest, rows, corpora):
    for clip in manifest.clips:
        row = rows[clip.path.relative_to(corpora).as_posix()]
        assert (clip.fold, clip.emotion, clip.speaker) == (int(row["fold"]), row["emotion"], row["speaker"])


def test_manifest_when_read_then_nobody_is_in_two_folds(manifest):
    folds = defaultdict(set)
    for clip in manifest.clips:
        folds[clip.speaker].add(clip.fold)

    assert len(folds) == 139
    assert {len(numbers) for numbers in folds.values()} == {1}


def test_manifest_when_read_then_every_label_has_its_place_on_the_circumplex(manifest):
    labels = {clip.emotion for clip in manifest.clips}

    assert labels == set(EMOTIONS)
    assert all(len(circumplex(label)) == 2 for label in labels)


@pytest.mark.parametrize("kind", ["ravdess", "tess", "emodb"])
def test_reader_when_it_reads_the_published_names_then_it_agrees_with_the_manifest(corpora, rows, kind):
    corpus = read_corpus(kind, corpora / kind)

    assert corpus.problems == []
    assert len(corpus.clips) == COUNTS[kind]
    for clip in corpus.clips:
        row = rows[clip.path.relative_to(corpora).as_posix()]
        read = (clip.corpus, clip.speaker, clip.emotion, clip.sex, clip.fold, clip.language, clip.licence)
        columns = ("corpus", "speaker", "emotion", "sex", "fold", "language", "licence")
        assert tuple(map(str, read)) == tuple(row[column] for column in columns)


def test_ravdess_reader_when_song_then_it_agrees_with_the_manifest(corpora, rows):
    corpus = read_corpus("ravdess", corpora / "ravdess_song")

    assert corpus.problems == []
    assert len(corpus.clips) == COUNTS["ravdess_song"]
    for clip in corpus.clips:
        row = rows[clip.path.relative_to(corpora).as_posix()]
        assert (clip.corpus, clip.speaker, clip.emotion) == (row["corpus"], row["speaker"], row["emotion"])
        assert (clip.sex, clip.fold) == (row["sex"], int(row["fold"]))


@pytest.mark.parametrize("name", IN_CORPUS)
def test_protocol_when_planned_on_the_manifest_then_speaker_disjoint_and_complete(manifest, name):
    protocol = plan(name, manifest.clips)

    assert len(protocol.splits) == FOLDS[name]
    assert len(protocol.labels) == CLASSES[name]
    _check_disjoint(protocol)
    tested = [clip.path for split in protocol.splits for clip in split.test]
    assert sorted(tested) == sorted(c.path for c in manifest.clips if c.corpus == IN_CORPUS[name])


def test_p8_when_planned_then_joint_folds_and_shipped_labels(manifest):
    protocol = plan("P8", manifest.clips)
    emodb_10 = {clip.path for clip in manifest.clips if clip.corpus == "emodb" and clip.fold == 10}

    assert protocol.labels == SHIPPED_LABELS
    assert [split.name for split in protocol.splits] == ["1", "2", "3", "4", "5", "6"]
    _check_disjoint(protocol)
    # Fold 10 of a corpus with more than six sits in joint fold (10 - 1) mod 6 + 1.
    tested_in = {split.name for split in protocol.splits for clip in split.test if clip.path in emodb_10}
    assert tested_in == {"4"}
    used = [clip for split in protocol.splits for clip in split.test]
    assert {clip.emotion for clip in used} == set(SHIPPED_LABELS)
    assert len(used) == len(manifest.clips) - sum(clip.emotion == "boredom" for clip in manifest.clips)
    calm = {clip.path for clip in manifest.clips if clip.emotion == "calm"}
    assert {clip.emotion for clip in used if clip.path in calm} == {"neutral"}
    for split in protocol.splits:
        spoken = {clip.speaker for clip in split.test if clip.corpus == "ravdess"}
        sung = {clip.speaker for clip in split.test if clip.corpus == "ravdess_song"}
        assert sung <= spoken


def _check_disjoint(protocol):
    for split in protocol.splits:
        assert not {clip.speaker for clip in split.train} & {clip.speaker for clip in split.test}
        assert not {clip.path for clip in split.train} & {clip.path for clip in split.test}
        assert {clip.emotion for clip in split.test} <= set(protocol.labels)


def test_folds_when_published_then_they_are_those_of_the_corpora(corpora):
    with (ROOT / "benchmarks" / "folds.csv").open(encoding="utf-8", newline="") as file:
        published = {(row["corpus"], row["speaker"]): row for row in csv.DictReader(file)}
    with (corpora / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    clips = Counter((row["corpus"], row["speaker"], row["fold"]) for row in rows)

    assert clips == {(*who, row["fold"]): int(row["clips"]) for who, row in published.items()}
