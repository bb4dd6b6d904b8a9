import numpy as np
import pytest

from edge.inference.model import softmax
from training.temperature import temperature


def clips(sharpened, speakers, each=200, labels=5, seed=1):
    """Clips of one window whose labels are as frequent as they say, but for how sharp their logits are."""
    rng = np.random.default_rng(seed)
    names = [f"s{i}" for i in range(speakers) for _ in range(each)]
    honest = rng.normal(0, 2, (len(names), labels))
    truth = (softmax(honest).cumsum(axis=1) < rng.uniform(size=(len(names), 1))).sum(axis=1)
    sharp = np.array([sharpened[int(name[1:]) % len(sharpened)] for name in names])
    return list(honest[:, None] * sharp[:, None, None]), truth, names


@pytest.mark.parametrize("known", [0.5, 1.0, 1.7, 3.0])
def test_temperature_when_all_speakers_were_sharpened_alike_then_it_is_found(known):
    logits, truth, speakers = clips([known], speakers=6)

    assert temperature(logits, truth, speakers, np.ones(len(truth))) == pytest.approx(known, rel=0.15)


def test_temperature_when_what_suits_one_speaker_harms_the_other_then_it_is_one():
    logits, truth, speakers = clips([2.0, 0.5], speakers=2)
    of_the_first = np.array([name == "s0" for name in speakers]).astype(float)

    assert temperature(logits, truth, speakers, of_the_first + 1e-9) == pytest.approx(1.0)


def test_temperature_when_only_some_speakers_gain_by_it_then_it_is_one():
    logits, truth, speakers = clips([2.0, 1.0, 1.3, 1.1, 1.2, 1.0], speakers=6)

    assert temperature(logits, truth, speakers, np.ones(len(truth))) == 1.0


def test_temperature_when_all_speakers_gain_by_it_though_unequally_then_it_is_not_one():
    logits, truth, speakers = clips([2.0, 1.6, 1.8, 1.4, 2.2, 1.7], speakers=6)

    assert 1.3 < temperature(logits, truth, speakers, np.ones(len(truth))) < 2.2


def test_temperature_when_there_is_one_speaker_then_he_says_nothing_of_others():
    logits, truth, speakers = clips([3.0], speakers=1)

    assert temperature(logits, truth, speakers, np.ones(len(truth))) == 1.0
