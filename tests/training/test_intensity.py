import pytest

from training.fold import FoldResult
from training.intensity import arousal_by_intensity

pytestmark = pytest.mark.training

LABELS = ("angry", "neutral", "sad")
ANGRY, SAD = [0.8, 0.1, 0.1], [0.1, 0.1, 0.8]


def clip(actor, intensity, take=1, corpus="ravdess"):
    """An angry clip of RAVDESS: emotion 05, sentence 01."""
    return f"03-01-05-{intensity:02d}-01-{take:02d}-{actor:02d}.wav", corpus, f"a{actor}"


def result(clips, probabilities, **changes):
    fields = {
        "fold": "1", "seed": 0, "clips": [name for name, _, _ in clips], "speakers": [s for _, _, s in clips],
        "sexes": ["f"] * len(clips), "corpora": [c for _, c, _ in clips], "languages": ["en"] * len(clips),
        "truth": [0] * len(clips), "float_answers": [0] * len(clips), "int8_answers": [0] * len(clips),
        "int8_probabilities": probabilities, "int8_raw_confidences": [0.8] * len(clips),
        "float_headlines": {}, "int8_by_turns": {}, "parameters": 1, "macs": 1, "file_bytes": 1,
        "runtime": "litert", "temperature": 1.0, "best_epoch": 1, "validation_uar": None, "left_out": [],
    }  # fmt: skip
    return FoldResult(**{**fields, **changes})


def test_arousal_when_strong_clips_sound_more_aroused_then_it_rises():
    clips = [clip(actor, intensity) for actor in (1, 2, 3) for intensity in (1, 2)]
    found = arousal_by_intensity([result(clips, [SAD, ANGRY] * 3)], LABELS)

    assert found["pairs"] == 3
    assert found["rise"] > 0.5
    assert found["rise_ci95"] == [found["rise"], found["rise"]]
    assert found["by_emotion"]["angry"]["strong"] > 0.5
    assert found["by_emotion"]["angry"]["normal"] < 0.0
    assert found["by_emotion"]["angry"]["rising"] == 1.0


def test_arousal_when_strong_clips_sound_calmer_then_it_falls():
    clips = [clip(1, 1), clip(1, 2), clip(2, 1), clip(2, 2)]
    found = arousal_by_intensity([result(clips, [ANGRY, SAD, ANGRY, ANGRY])], LABELS)

    assert found["rise"] < 0.0
    assert found["rise_ci95"][0] < found["rise_ci95"][1] == 0.0
    assert found["by_emotion"]["angry"]["rising"] == 0.0


def test_arousal_when_a_take_has_no_partner_then_it_does_not_count():
    clips = [clip(1, 1), clip(1, 2), clip(2, 1), clip(2, 2, take=2), clip(3, 2, corpus="tones"), clip(3, 1)]
    assert arousal_by_intensity([result(clips, [ANGRY] * 6)], LABELS)["pairs"] == 1


def test_arousal_when_no_clip_has_an_intensity_then_nothing_is_said():
    other = [("03a01Wa.wav", "emodb", "s1")]
    assert arousal_by_intensity([result(other, [ANGRY])], LABELS) is None
