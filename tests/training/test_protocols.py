from pathlib import Path

import pytest

from training.corpora import Clip
from training.protocols import SHIPPED_LABELS, ProtocolError, plan, shipped_clips


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
        ("P8", [*RAVDESS, clip("ravdess_song", "a0", "sad", 2)], None, "a0 would train and test"),
    ],
)
def test_plan_when_the_clips_do_not_support_it_then_one_clear_error(name, clips, only, reason):
    with pytest.raises(ProtocolError, match=reason) as caught:
        plan(name, clips, only)
    assert caught.value.exit_code == 64
