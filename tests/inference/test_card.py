import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.frontend.mfcc_config import MfccConfig, Window
from edge.inference.card import FRONTEND, ModelCard, decode_card, describe_frontend, encode_card
from edge.inference.errors import ModelFileError
from edge.inference.leaning import LeaningPrior
from edge.inference.reference import ReferencePrior

CARD = ModelCard(
    name="test",
    labels=("angry", "sad"),
    frontend=describe_frontend(MfccConfig()),
    n_frames=100,
    reference=ReferencePrior(
        voice_variance=(2.0,) * 40,
        turn_variance=(1.0,) * 40,
        neutral_offset=(-0.5,) * 40,
        neutral_variance=(0.5,) * 40,
        neutral_turn_variance=(1.0,) * 40,
    ),
    mean=(0.0,) * 40,
    std=(1.0,) * 40,
    circumplex={"angry": (0.9, -0.2), "sad": (-0.4, -0.8)},
    leaning=LeaningPrior(
        usual=(0.1, -0.1),
        neutral=(0.5, -0.5),
        voice_variance=0.2,
        turn_variance=1.5,
        neutral_voice_variance=0.3,
        neutral_turn_variance=0.5,
        neutral_covariance=0.1,
    ),
)


def prior(**fields):
    return msgspec.structs.replace(CARD.reference, **fields)


def leaning(**fields):
    return msgspec.structs.replace(CARD.leaning, **fields)


def changed(**fields):
    return encode_card(msgspec.structs.replace(CARD, **fields))


def edited(**fields):
    """A card as JSON that no `ModelCard` could hold."""
    return msgspec.json.encode({**msgspec.json.decode(encode_card(CARD)), **fields})


def frontend(**fields):
    return {**CARD.frontend, **fields}


def refusal(text):
    with pytest.raises(ModelFileError) as caught:
        decode_card(text)
    message = str(caught.value)
    assert "\n" not in message
    assert any(remedy in message for remedy in ("choose a model", "update affectd")), message
    return message


@given(
    st.text(min_size=1, max_size=20),
    st.lists(st.floats(-100, 100, allow_subnormal=False), min_size=40, max_size=40),
    st.floats(0.25, 4.0),
)
def test_card_when_written_then_read_back_equal(name, mean, temperature):
    card = msgspec.structs.replace(CARD, name=name, mean=tuple(mean), temperature=temperature)

    assert decode_card(encode_card(card)) == card


def test_card_when_read_then_its_front_end_is_the_one_described():
    config = MfccConfig(n_mels=32, n_mfcc=20, window=Window.HAMMING, preemphasis=0.97)
    few = dict.fromkeys(ReferencePrior.__struct_fields__, (1.0,) * 20)
    card = changed(
        frontend=describe_frontend(config), mean=(0.0,) * 20, std=(1.0,) * 20, reference=ReferencePrior(**few)
    )

    assert decode_card(card).mfcc_config == config


def test_card_when_it_was_written_before_there_was_pitch_then_its_front_end_has_none():
    older = {key: value for key, value in CARD.frontend.items() if key != "pitch"}
    assert len(older) == len(CARD.frontend) - 1

    assert decode_card(changed(frontend=older)).mfcc_config == MfccConfig()


def test_card_when_pitch_is_true_then_it_has_values_for_two_more_features():
    config = MfccConfig(pitch=True)
    more = dict.fromkeys(ReferencePrior.__struct_fields__, (1.0,) * 42)
    fields = {
        "frontend": describe_frontend(config),
        "mean": (0.0,) * 42,
        "std": (1.0,) * 42,
        "reference": ReferencePrior(**more),
    }

    assert decode_card(changed(**fields)).mfcc_config == config
    assert "42 values" in refusal(changed(**{**fields, "mean": (0.0,) * 40}))


def test_card_when_nothing_is_said_of_leanings_then_there_are_none():
    assert decode_card(changed(leaning=None)).leaning is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "not a card"),
        (b"[]", "not a card"),
        (b"{}", "name"),
        (b"\xff\xfe{}", "not a card"),
        (b'{"a": ' * 50_000, "not a card"),
        (encode_card(CARD)[:-20], "not a card"),
        (edited(sampling="fast"), "sampling"),
        (edited(labels="angry"), "labels"),
        (edited(mean=[None] * 40), "mean"),
        (edited(temperature=float("nan")), "temperature"),
        (encode_card(CARD).replace(b'"temperature": 1.0', b'"temperature": NaN'), "not a card"),
        (encode_card(CARD).replace(b'"temperature": 1.0', b'"temperature": 1e999'), "not a card"),
        (edited(card_version=3, novelty=1), "version 3"),
        (edited(card_version=1), "version 1"),
        (changed(labels=("angry",)), "fewer than two"),
        (changed(labels=("angry", "angry")), "twice"),
        (changed(n_frames=0), "n_frames"),
        (changed(mean=(0.0,) * 39), "40 values"),
        (changed(std=(1.0,) * 39 + (0.0,)), "above 0"),
        (changed(temperature=0.0), "above 0"),
        (changed(reference=prior(turn_variance=(1.0,) * 39)), "reference needs 40 values"),
        (changed(reference=prior(turn_variance=(0.0,) * 40)), "turn_variance"),
        (changed(reference=prior(voice_variance=(-1.0,) * 40)), "voice_variance"),
        (changed(reference=prior(neutral_variance=(-1.0,) * 40)), "neutral_variance"),
        (edited(reference={}), "reference"),
        (changed(leaning=leaning(usual=(0.0,))), "leaning needs 2 values"),
        (changed(leaning=leaning(turn_variance=0.0)), "leaning needs variances"),
        (changed(leaning=leaning(voice_variance=-0.1)), "leaning needs variances"),
        (edited(leaning={}), "leaning"),
        (changed(uncertain_below=1.5), "uncertain_below"),
        (changed(circumplex={"angry": (0.9, -0.2)}), "circumplex"),
        (changed(circumplex={"angry": (1.9, -0.2), "sad": (0.0, 0.0)}), "circumplex"),
    ],
)
def test_card_when_it_does_not_agree_with_itself_then_refused_with_the_reason(text, words):
    assert words in refusal(text)


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "affectd-mfcc-2"},
        {"kind": None},
        {"kind": ["affectd-mfcc-1"]},
        {"n_mels": 0},
        {"n_mels": "forty"},
        {"fmax": 9_000.0},
        {"fmin": "low"},
        {"window": "kaiser"},
        {"window": []},
        {"overlap": 3},
        {"pitch": "yes"},
        {"pitch": True, "delta_orders": 1},
        {"sample_rate": 8_000, "fmax": 4_000.0},
        {"n_mels": 400, "n_mfcc": 40},
        {"n_mels": 10**9},
        {"n_fft": 1 << 40},
    ],
    ids=str,
)
def test_card_when_it_asks_for_what_is_not_computed_here_then_refused(fields):
    assert "front end" in refusal(changed(frontend=frontend(**fields)))


def test_card_when_front_end_has_no_kind_then_refused():
    without = {key: value for key, value in CARD.frontend.items() if key != "kind"}

    assert FRONTEND in refusal(changed(frontend=without))


@given(st.binary(max_size=300))
def test_card_when_random_bytes_then_refused(text):
    refusal(text)


@given(st.data())
def test_card_when_bytes_are_changed_then_refused_or_still_a_sound_card(data):
    text = bytearray(encode_card(CARD))
    for _ in range(data.draw(st.integers(1, 6))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    try:
        card = decode_card(bytes(text))
    except ModelFileError:
        return
    assert len(card.mean) == len(card.std) == card.mfcc_config.n_features
    assert card.temperature > 0
