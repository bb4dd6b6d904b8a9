"""Who is taken out of training."""

import msgspec
import pytest
from voices import TINY, clip

from training.features import Example
from training.validation_speakers import validation_speakers


def drawn_of(parts, **changes):
    return validation_speakers(parts, msgspec.structs.replace(TINY, **changes))


def test_validation_speakers_when_there_are_several_corpora_then_each_gives_as_many():
    parts = [Example(clip("sad", f"{name}{i}", 0, name), None) for name in "abc" for i in range(10)]
    drawn = drawn_of(parts, validation_speakers=6)

    assert sorted(speaker[1] for speaker in drawn) == ["a", "a", "b", "b", "c", "c"]


@pytest.mark.parametrize("seed", range(5))
def test_validation_speakers_when_drawn_then_seeded_and_none_who_fills_the_corpus(seed):
    few = [Example(clip("sad", speaker, 0), None) for speaker in range(30)]
    many = [Example(clip("sad", 99, take), None) for take in range(30)]
    drawn = drawn_of(few + many, seed=seed, validation_speakers=8)

    assert len(drawn) == 8
    assert "s99" not in drawn
    assert drawn == drawn_of(many + few, seed=seed, validation_speakers=8)
    assert drawn != drawn_of(few + many, seed=seed + 1, validation_speakers=8)
