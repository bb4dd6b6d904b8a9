import msgspec
import numpy as np
import pytest
from make_golden import GOLDEN, window

from edge.inference.errors import ModelFileError
from edge.inference.model import UNCERTAIN, EmotionModel, ModelSettings, softmax
from edge.inference.reference import ReferencePrior
from edge.inference.windows import cut_windows


@pytest.fixture
def load(model_file):
    """The shipped model under a changed card."""
    return lambda **changes: EmotionModel(ModelSettings(path=str(model_file(**changes))))


def frames_like_speech(model, n, seed=0):
    rng = np.random.default_rng(seed)
    return (model._mean + model._std * rng.standard_normal((n, len(model._mean)))).astype(np.float32)


def test_model_when_golden_windows_then_every_runtime_answers_the_same(model):
    golden = msgspec.json.decode(GOLDEN.read_bytes())
    assert golden["flatbuffer_sha256"] == model.card.flatbuffer_sha256, (
        "the shipped model was replaced: PYTHONPATH=. python tests/inference/make_golden.py"
    )
    # The older runtime rounds otherwise in every layer: of 2,100 outputs 30 are two steps away.
    steps = 1 if str(model.runtime) == golden["runtime"] else 2
    atol = 1.01 * steps * model._output["quantization"][0]
    for seed, logits in golden["logits"].items():
        np.testing.assert_allclose(model.logits(window(model, int(seed))), logits, atol=atol)


@pytest.mark.parametrize("n", [1, 30, 255, 256, 257, 1_500])
def test_model_when_a_turn_of_any_length_then_probabilities_that_add_up_to_1(model, n):
    probabilities = model.probabilities(frames_like_speech(model, n))

    assert probabilities.shape == (len(model.card.labels),)
    assert (probabilities >= 0).all()
    assert probabilities.sum() == pytest.approx(1.0, abs=1e-9)


def test_model_when_asked_again_then_the_same_answer_to_the_last_bit(model):
    frames = frames_like_speech(model, 700)
    first = model.answer(frames)
    model.answer(frames_like_speech(model, 40, seed=1))

    assert model.answer(frames) == first
    assert EmotionModel().answer(frames) == first


def test_model_when_more_threads_then_the_same_answer(model):
    frames = frames_like_speech(model, 400)

    assert EmotionModel(ModelSettings(threads=2)).answer(frames) == model.answer(frames)


def test_model_when_frames_are_absurd_then_still_an_answer(model):
    for value in (-1e6, 0.0, 1e6):
        answer = model.answer(np.full((300, len(model._mean)), value, np.float32))
        assert sum(answer.probabilities.values()) == pytest.approx(1.0)


def test_model_when_answering_then_it_agrees_with_its_probabilities(model):
    frames = frames_like_speech(model, 500)
    probabilities = model.probabilities(frames)
    answer = model.answer(frames)

    assert list(answer.probabilities) == list(model.card.labels)
    assert answer.confidence == max(answer.probabilities.values()) == probabilities.max()
    places = [model.card.circumplex[label] for label in model.card.labels]
    assert answer.arousal == pytest.approx(
        sum(p * a for p, (a, _) in zip(probabilities, places, strict=True))
    )
    assert answer.valence == pytest.approx(
        sum(p * v for p, (_, v) in zip(probabilities, places, strict=True))
    )
    assert -1 <= answer.arousal <= 1
    assert -1 <= answer.valence <= 1


def test_model_when_temperature_is_raised_then_logits_are_divided_by_it(load, model):
    frames = frames_like_speech(model, 100)
    (one_window,) = model.windows(frames)
    for temperature in (0.5, 1.0, 3.0):
        expected = softmax(model.logits(one_window) / temperature)
        np.testing.assert_allclose(load(temperature=temperature).probabilities(frames), expected, atol=1e-12)


def test_model_when_confidence_is_below_the_cards_limit_then_uncertain(load, model):
    frames = frames_like_speech(model, 300)
    confidence = model.answer(frames).confidence

    named = load(uncertain_below=confidence).answer(frames)
    unnamed = load(uncertain_below=min(1.0, confidence + 1e-9)).answer(frames)

    assert named.emotion == max(named.probabilities, key=named.probabilities.get)
    assert unnamed.emotion == UNCERTAIN
    assert unnamed.probabilities == named.probabilities


def test_model_when_the_voice_is_unheard_then_a_microphones_colour_changes_nothing(model):
    frames = frames_like_speech(model, 300)
    colour = np.random.default_rng(3).normal(0, 2, frames.shape[1]).astype(np.float32)

    np.testing.assert_allclose(model.windows(frames + colour), model.windows(frames), atol=1e-4)


def test_model_when_the_voice_was_heard_then_a_turn_is_seen_relative_to_it(load, model):
    frames = frames_like_speech(model, 300)
    n = frames.shape[1]
    known = dict.fromkeys(ReferencePrior.__struct_fields__, (1.0,) * n) | {"voice_variance": (1e9,) * n}
    sure = load(reference=ReferencePrior(**known))
    voice = sure.new_voice()
    voice.learn(np.full(n, 3.0), None)

    normalised = (frames - 3.0 - np.asarray(sure.card.mean)) / np.asarray(sure.card.std)
    np.testing.assert_allclose(
        sure.windows(frames, voice), cut_windows(normalised, sure.card.n_frames, 50), atol=1e-4
    )


def test_model_when_the_hop_between_windows_is_shorter_then_more_windows(model):
    frames = frames_like_speech(model, 1_000)

    assert len(EmotionModel(ModelSettings(window_hop_s=0.1)).windows(frames)) > len(model.windows(frames))


@pytest.mark.parametrize("n", [1, 256, 1_000])
def test_model_when_asked_for_a_turns_logits_then_they_are_those_of_its_windows(model, n):
    frames = frames_like_speech(model, n)

    np.testing.assert_array_equal(
        model.turn_logits(frames), np.stack([model.logits(window) for window in model.windows(frames)])
    )


def test_model_when_card_asks_for_other_frames_then_refused_by_name(load, model):
    with pytest.raises(ModelFileError, match=r"model\.tflite: the model's input is int8 .*affectd-convert"):
        load(n_frames=model.card.n_frames + 1)


def test_model_when_card_has_another_number_of_labels_then_refused(load, model):
    labels = (*model.card.labels, "bored")
    circumplex = {**model.card.circumplex, "bored": (0.0, 0.0)}
    with pytest.raises(ModelFileError, match="the model's output is int8"):
        load(labels=labels, circumplex=circumplex, leaning=None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("threads", 0),
        ("threads", -1),
        ("threads", 1_000),
        ("window_hop_s", 0.0),
        ("window_hop_s", float("nan")),
    ],
)
def test_model_settings_when_they_make_no_sense_then_refused_by_name(field, value):
    with pytest.raises(ValueError, match=field):
        ModelSettings(**{field: value})


def test_softmax_when_logits_are_huge_then_finite_and_on_top_of_each_other():
    np.testing.assert_allclose(softmax(np.array([1e4, 1e4, -1e4])), [0.5, 0.5, 0.0])
    np.testing.assert_allclose(softmax(np.array([[0.0, np.log(3.0)]])), [[0.25, 0.75]])
