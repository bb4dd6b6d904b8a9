"""What clips must be there before anything is trained."""

import pytest
from voices import LABELS, clip

from training.support import SupportError, check_places, check_support


def clips(speakers=3, takes=10, labels=LABELS):
    return [clip(e, s, t) for e in labels for s in range(speakers) for t in range(takes)]


def fear(takes):
    """By one speaker alone."""
    return [clip("fear", 1, take) for take in range(takes)]


def test_support_when_there_is_enough_then_nothing_is_said():
    check_support(clips(), (*LABELS, "fear"))
    check_support(clips(speakers=1), LABELS, one_speaker=True)
    check_support(clips(speakers=2, takes=3), LABELS, known=LABELS)


@pytest.mark.parametrize(
    ("given", "known", "reason"),
    [
        ([], (), "nothing to train on"),
        (clips(speakers=1), (), "all 30 clips are of one speaker, s0"),
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


def test_places_when_a_label_has_none_then_is_asked_for():
    check_places((*LABELS, "boredom", "excited"), {"excited": (0.8, 0.6)})
    with pytest.raises(SupportError, match=r"--add-label excited=0\.5"):
        check_places((*LABELS, "excited"), {})
