import math

import pytest

from edge.inference.circumplex import circumplex

LABELS = ("angry", "boredom", "calm", "disgust", "fear", "happy", "neutral", "sad", "surprise")
"""Every label of the corpora"""


@pytest.mark.parametrize("label", LABELS)
def test_circumplex_when_any_label_of_the_corpora_then_on_the_circle_or_in_its_centre(label):
    assert math.hypot(*circumplex(label)) == pytest.approx(0.0 if label == "neutral" else 1.0, abs=1e-3)


def test_circumplex_when_compared_then_in_the_order_that_listeners_give():
    arousal = {label: circumplex(label)[0] for label in LABELS}
    valence = {label: circumplex(label)[1] for label in LABELS}

    assert arousal["angry"] > arousal["happy"] > arousal["neutral"] > arousal["sad"]
    assert arousal["fear"] > arousal["neutral"] > arousal["boredom"]
    assert arousal["surprise"] > arousal["neutral"] > arousal["calm"]
    assert valence["happy"] > valence["calm"] > valence["neutral"]
    assert valence["neutral"] > valence["angry"] > valence["fear"] > valence["disgust"] > valence["sad"]


def test_circumplex_when_label_has_no_place_then_key_error():
    with pytest.raises(KeyError):
        circumplex("hangry")
