import keras
import msgspec
import numpy as np
import pytest
from voices import LABELS

from edge.inference.leaning import LeaningPrior
from training.scorer import InFloat
from training.scoring import truth_of

COLUMNS = list(range(len(LABELS)))
SURE = LeaningPrior(
    usual=(9.0, 0.0, -9.0),
    neutral=(9.0, 0.0, -9.0),
    voice_variance=1e6,
    turn_variance=1.0,
    neutral_voice_variance=1e6,
    neutral_turn_variance=1.0,
    neutral_covariance=1e6,
)
"""Of voices that lean so much that nothing but what is unusual about an answer would count"""


@pytest.fixture(scope="module")
def asked(finished_run, corpus):
    """The finished run, and the same told of leanings, on the clips that it learned from."""
    folder, info, _ = finished_run
    network = keras.models.load_model(folder / "network.keras", compile=False)
    leaning = msgspec.structs.replace(info, leaning=SURE)
    return InFloat(network, info, corpus, COLUMNS), InFloat(network, leaning, corpus, COLUMNS)


def test_scorer_when_no_voice_was_heard_then_leanings_say_nothing(asked, corpus):
    plain, told = asked

    assert told.in_form("adapt", 0) == plain.in_form("adapt", 0) == plain.answered()
    assert (plain.answered().labels == truth_of(corpus, LABELS)).mean() > 0.6


@pytest.mark.parametrize("form", ["adapt", "enrol"])
def test_scorer_when_voices_were_heard_then_leanings_are_taken_off_and_the_rest_is_as_without(asked, form):
    plain, told = (one.in_form(form, 3) for one in asked)

    assert plain.labels == plain.by_reference == told.by_reference
    assert told.labels != plain.labels


def test_scorer_when_some_outputs_are_asked_for_then_answers_are_of_these(finished_run, corpus, asked):
    folder, info, _ = finished_run
    network = keras.models.load_model(folder / "network.keras", compile=False)
    some = InFloat(network, msgspec.structs.replace(info, leaning=SURE), corpus, [0, 2])

    assert set(some.in_form("adapt", 10).labels) <= {0, 1}
    np.testing.assert_allclose(some.logits[0], asked[0].logits[0], atol=1e-5)
