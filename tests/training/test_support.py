"""What clips must be there before anything is trained."""

import pytest
from voices import LABELS, clip

from training.recipe import Recipe
from training.support import SupportError, check_places, check_speakers, check_support


def clips(speakers=3, takes=10, labels=LABELS):
    return [clip(e, s, t) for e in labels for s in range(speakers) for t in range(takes)]


def fear(takes):
    """By one speaker alone."""
    return [clip("fear", 1, take) for take in range(takes)]


def test_support_when_there_is_enough_then_nothing_is_said():
    check_support(clips(), LABELS)
    check_support(clips(), (*LABELS, "fear"), known=("fear",))
    check_support(clips(speakers=1), LABELS, one_speaker=True)
    check_support(clips(speakers=2, takes=3), LABELS, known=LABELS)


@pytest.mark.parametrize(
    ("given", "known", "reason"),
    [
        ([], (), "nothing to train on"),
        (clips(speakers=1), (), "all 30 clips are of one speaker, s0"),
        (clips(), (), r"no clip of fear \(--labels angry,neutral,sad trains the others only\)\. Add clips"),
        (clips(), LABELS, r"no clip of fear\. Add clips"),
        ([*clips(), *fear(3)], (), r"only 3 clip\(s\) of fear, and at least 10"),
        ([*clips(), *fear(3)], ("fear",), r"only 3 clip\(s\) of fear, and at least 5"),
        ([*clips(), *fear(30)], (), "all clips of fear are of one speaker, s1"),
        (clips(takes=1), (), r"of angry.*; only 3 clip\(s\) of neutral.*; only 3 clip\(s\) of sad"),
    ],
)  # fmt: skip
def test_support_when_there_is_too_little_then_every_label_is_named(given, known, reason):
    with pytest.raises(SupportError, match=reason) as caught:
        check_support(given, (*LABELS, "fear"), known)
    assert caught.value.exit_code == 65


@pytest.mark.parametrize("labels", [("angry",), ("angry", "angry")])
def test_support_when_there_is_nothing_to_tell_apart_then_says_so(labels):
    with pytest.raises(SupportError, match="at least two different ones are needed"):
        check_support(clips(), labels)


@pytest.mark.parametrize(
    ("speakers", "changes", "reason"),
    [
        (5, {}, r"5 speaker\(s\) are too few: the recipe needs 4 for validation and 2 to train on"),
        (
            4,
            {"one_speaker": True},
            r"4 speaker\(s\) are too few: the recipe needs 4 for validation and 1 to train on",
        ),
        (0, {}, "no clip could be read"),
    ],
)
def test_speakers_when_a_recipe_wants_more_then_says_how_many(speakers, changes, reason):
    check_speakers(clips(speakers=6), Recipe())
    check_speakers(clips(speakers=5), Recipe(one_speaker=True))
    with pytest.raises(SupportError, match=reason):
        check_speakers(clips(speakers=speakers), Recipe(**changes))


def test_places_when_a_label_has_none_then_is_asked_for():
    check_places((*LABELS, "boredom", "excited"), {"excited": (0.8, 0.6)})
    with pytest.raises(SupportError, match=r"--add-label excited=0\.5"):
        check_places((*LABELS, "excited"), {})
