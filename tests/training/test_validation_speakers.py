"""Who is taken out of training."""

import msgspec
import pytest
from voices import TINY, clip

from training.support import SupportError
from training.validation_speakers import validation_speakers


def drawn_of(clips, trained_on=frozenset(), **changes):
    return validation_speakers(clips, msgspec.structs.replace(TINY, **changes), trained_on)


def test_validation_speakers_when_there_are_several_corpora_then_each_gives_as_many():
    parts = [clip("sad", f"{name}{i}", 0, name) for name in "abc" for i in range(10)]
    drawn = drawn_of(parts, validation_speakers=6)

    assert sorted(speaker[1] for speaker in drawn) == ["a", "a", "b", "b", "c", "c"]


@pytest.mark.parametrize("seed", range(5))
def test_validation_speakers_when_drawn_then_seeded_and_none_who_fills_the_corpus(seed):
    few = [clip("sad", speaker, 0) for speaker in range(30)]
    many = [clip("sad", 99, take) for take in range(30)]
    drawn = drawn_of(few + many, seed=seed, validation_speakers=8)

    assert len(drawn) == 8
    assert "s99" not in drawn
    assert drawn == drawn_of(many + few, seed=seed, validation_speakers=8)
    assert drawn != drawn_of(few + many, seed=seed + 1, validation_speakers=8)


@pytest.mark.parametrize("seed", range(5))
def test_validation_speakers_when_an_earlier_run_was_trained_on_some_then_none_of_these(seed):
    clips = [clip("sad", speaker, 0) for speaker in range(30)]
    known = {f"s{speaker}" for speaker in range(26)}

    assert drawn_of(clips, known, seed=seed, validation_speakers=2) <= {"s26", "s27", "s28", "s29"}
    assert drawn_of(clips, known, seed=seed, validation_speakers=8) == {"s26", "s27", "s28", "s29"}


@pytest.mark.parametrize("seed", range(5))
def test_validation_speakers_when_the_earlier_run_held_the_same_out_then_they_again(seed):
    clips = [clip("sad", f"{name}{i}", 0, name) for name in "abc" for i in range(10)]
    first = drawn_of(clips, seed=seed, validation_speakers=6)

    assert drawn_of(clips, {c.speaker for c in clips} - first, seed=seed, validation_speakers=6) == first


@pytest.mark.parametrize("seed", range(9))
def test_validation_speakers_when_few_have_a_label_then_two_of_them_are_left_to_train_on(seed):
    clips = [clip("sad", speaker, 0) for speaker in range(8)] + [clip("angry", s, 0) for s in (1, 2, 3)]
    drawn = drawn_of(clips, seed=seed, validation_speakers=4)

    assert len(drawn) == 4
    assert len({"s1", "s2", "s3"} - drawn) >= 2


@pytest.mark.parametrize(
    ("trained_on", "reason"), [({"s0", "s1", "s2", "s3", "s4"}, "was trained on these"), (None, "no record")]
)
def test_validation_speakers_when_nobody_can_be_held_out_then_an_error_with_the_remedy(trained_on, reason):
    clips = [clip("sad", speaker, 0) for speaker in range(5)]

    with pytest.raises(SupportError, match=f"{reason}.*validation_speakers = 0"):
        drawn_of(clips, trained_on)
    assert drawn_of(clips, trained_on, validation_speakers=0) == set()
