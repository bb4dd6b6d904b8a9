from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from training.clips import Clip
from training.protocols import LEFT_OUT_IN_TURN, SHIPPED_LABELS, ProtocolError, plan, shipped_clips


def clip(corpus, speaker, emotion, fold):
    return Clip(Path(f"{corpus}-{speaker}-{emotion}.wav"), corpus, speaker, emotion, fold=fold)


RAVDESS = [clip("ravdess", f"a{i}", emotion, i % 3 + 1) for i in range(6) for emotion in ("angry", "calm")]
SONG = [clip("ravdess_song", f"a{i}", "calm", i % 3 + 1) for i in range(5)]
EMODB = [clip("emodb", f"e{i}", emotion, i + 1) for i in range(10) for emotion in ("boredom", "sad")]


def test_plan_when_in_corpus_then_only_its_clips_fold_by_fold():
    protocol = plan("P1", RAVDESS + SONG + EMODB)

    assert (protocol.name, protocol.form, protocol.labels) == ("P1", "in", ("angry", "calm"))
    assert [split.name for split in protocol.splits] == ["1", "2", "3"]
    for split in protocol.splits:
        assert len(split.test) == 4
        assert len(split.train) == 8
        assert {c.corpus for c in (*split.train, *split.test)} == {"ravdess"}


def test_plan_when_joint_then_every_corpus_under_the_shipped_labels():
    protocol = plan("P8", RAVDESS + SONG + EMODB)
    folds = {c.speaker: split.name for split in protocol.splits for c in split.test}

    assert protocol.labels == SHIPPED_LABELS
    assert [folds[f"e{i}"] for i in range(10)] == ["1", "2", "3", "4", "5", "6", "1", "2", "3", "4"]
    for split in protocol.splits:
        assert not {c.speaker for c in split.train} & {c.speaker for c in split.test}
    sung = [split.name for split in protocol.splits for c in split.test if c.corpus == "ravdess_song"]
    assert sung == [folds[c.speaker] for c in sorted(SONG, key=lambda c: c.fold)]


def test_shipped_clips_when_mapped_then_calm_is_neutral_and_boredom_left_out():
    mapped = shipped_clips(RAVDESS + EMODB)

    assert {c.emotion for c in mapped} == {"angry", "neutral", "sad"}
    assert len(mapped) == len(RAVDESS) + len(EMODB) // 2


SUNG = [
    replace(
        clip("ravdess_song", f"a{i % 6}", ("angry", "calm")[i // 6 % 2], i % 3 + 1), path=Path(f"v{i}.wav")
    )
    for i in range(24)
]
SPOKEN = [
    replace(
        clip("ravdess", f"a{i % 6}", ("angry", "calm", "sad")[i // 6 % 3], i % 3 + 1), path=Path(f"s{i}.wav")
    )
    for i in range(90)
]
SIX = [
    clip(corpus, f"{corpus}_{i}", emotion, 1)
    for corpus in LEFT_OUT_IN_TURN
    for i in range(2)
    for emotion in ("angry", "calm", "boredom", "fear", "happy", "neutral", "sad")
]
SINGING = [clip("ravdess_song", f"ravdess_{i}", "sad", 1) for i in range(2)]


def test_plan_when_p7_then_a_stratified_fifth_of_speech_and_song_and_said_to_be_speaker_dependent():
    protocol = plan("P7", SPOKEN + SUNG + EMODB)
    (split,) = protocol.splits

    assert (protocol.name, protocol.form, protocol.speaker_dependent) == ("P7", "in", True)
    assert not protocol.with_histories
    assert protocol.labels == ("angry", "calm", "sad")
    assert len(split.test) == 23
    assert len(split.train) == 91
    assert not {c.path for c in split.train} & {c.path for c in split.test}
    assert {c.speaker for c in split.test} <= {c.speaker for c in split.train}
    shares = Counter(c.emotion for c in split.test)
    assert [shares[e] for e in protocol.labels] == pytest.approx([42 / 5, 42 / 5, 30 / 5], abs=1)


def test_plan_when_p7_in_another_order_then_the_same_split():
    (split,) = plan("P7", SPOKEN + SUNG).splits
    (again,) = plan("P7", (SPOKEN + SUNG)[::-1]).splits

    assert [c.path for c in split.test] == [c.path for c in again.test]


def test_plan_when_p7_then_the_recording_published_twice_counts_once():
    twice = [
        replace(SPOKEN[0], path=Path(f"{name}.wav"))
        for name in ("03-01-03-01-02-01-07", "03-01-03-01-02-02-07")
    ]
    (split,) = plan("P7", SPOKEN + SUNG + twice).splits

    names = {c.path.stem for c in (*split.train, *split.test)}
    assert names & {c.path.stem for c in twice} == {"03-01-03-01-02-01-07"}


def test_plan_when_p9_then_each_corpus_is_left_out_in_turn_and_asked_for_four_labels():
    protocol = plan("P9", SIX)

    assert (protocol.form, protocol.labels) == ("joint", SHIPPED_LABELS)
    assert protocol.asked == ("angry", "happy", "neutral", "sad")
    assert not protocol.speaker_dependent
    assert [split.name for split in protocol.splits] == ["1", "2", "3", "4", "5", "6"]
    for split, corpus in zip(protocol.splits, LEFT_OUT_IN_TURN, strict=True):
        assert {c.corpus for c in split.test} == {corpus}
        assert {c.corpus for c in split.train} == set(LEFT_OUT_IN_TURN) - {corpus}
        assert Counter(c.emotion for c in split.test) == {"angry": 2, "happy": 2, "neutral": 4, "sad": 2}


def test_plan_when_p9_then_nobody_sings_in_training_who_speaks_in_the_test():
    for split in plan("P9", SIX + SINGING).splits:
        sings = "ravdess_song" in {c.corpus for c in split.train}
        assert sings == ({c.corpus for c in split.test} != {"ravdess"})


GERMAN = [clip("emodb", f"e{i}", e, i + 1) for i in range(10) for e in ("angry", "boredom", "neutral")]


def test_plan_when_multi_then_the_same_folds_from_the_network_that_has_not_heard_the_corpus():
    alone, with_others = plan("P1", RAVDESS + SONG + GERMAN), plan("P1", RAVDESS + SONG + GERMAN, multi=True)

    assert (alone.form, alone.base) == ("in", None)
    assert with_others.form == "multi"
    assert with_others.splits == alone.splits
    assert (alone.with_histories, with_others.with_histories) == (True, False)
    assert LEFT_OUT_IN_TURN[int(with_others.base) - 1] == "ravdess"


@pytest.mark.parametrize(("name", "clips"), [("P7", SPOKEN + SUNG), ("P8", RAVDESS), ("P9", SIX)])
def test_plan_when_multi_makes_no_sense_then_one_clear_error(name, clips):
    with pytest.raises(ProtocolError, match=f"{name} has none"):
        plan(name, clips, multi=True)


def test_plan_when_only_some_folds_then_those():
    assert [split.name for split in plan("P2", EMODB, ["7", "2"]).splits] == ["2", "7"]


@pytest.mark.parametrize(
    ("name", "clips", "only", "reason"),
    [
        ("P99", RAVDESS, None, "unknown protocol 'P99'"),
        ("P2", RAVDESS, None, "needs the corpus emodb"),
        ("P1", RAVDESS, ["4"], "no fold 4"),
        ("P1", [clip("ravdess", "a", "sad", 0), clip("ravdess", "b", "sad", 1)], None, "need a fold each"),
        ("P1", [clip("ravdess", "a", "sad", 1)], None, "at least two folds"),
        (
            "P1",
            [clip("ravdess", "a", "sad", 1), clip("ravdess", "a", "calm", 2)],
            None,
            "a would train and test",
        ),
        ("P7", SPOKEN, None, "missing: ravdess_song"),
        ("P7", [*SUNG, SPOKEN[12]], None, "too few clips to draw a fifth of every emotion"),
        ("P9", [c for c in SIX if c.corpus != "tess"], None, "missing: tess"),
        ("P8", [*RAVDESS, clip("ravdess_song", "a0", "sad", 2)], None, "a0 would train and test"),
        ("P8", [*RAVDESS, clip("site", "b", "sad", 0)], None, "need a fold each"),
    ],
)
def test_plan_when_the_clips_do_not_support_it_then_one_clear_error(name, clips, only, reason):
    with pytest.raises(ProtocolError, match=reason) as caught:
        plan(name, clips, only)
    assert caught.value.exit_code == 64
