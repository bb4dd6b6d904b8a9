from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.subscriber import make_state, make_turn

from edge.mqtt.messages import State, Turn, encode, new_id, now, timestamp

moments = st.datetimes(
    min_value=datetime(1970, 1, 2),
    max_value=datetime(9998, 1, 1),
    timezones=st.integers(-14, 14).map(lambda hours: timezone(timedelta(hours=hours))),
)
probabilities = st.floats(0, 1)
coordinates = st.none() | st.floats(-1, 1)
stamps = moments.map(timestamp)


@given(moments)
def test_timestamp_when_parsed_then_is_the_moment_to_the_millisecond(moment: datetime) -> None:
    text = timestamp(moment)
    assert len(text) == len("2026-01-02T03:04:05.678Z")
    assert text.endswith("Z")
    assert timedelta(0) <= moment - datetime.fromisoformat(text) < timedelta(milliseconds=1)


def test_timestamp_when_in_another_zone_then_is_utc() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678_900, tzinfo=timezone(timedelta(hours=2)))
    assert timestamp(moment) == "2026-01-02T01:04:05.678Z"


def test_timestamp_when_without_time_zone_then_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        timestamp(datetime(2026, 1, 2))


def test_now_when_called_then_lies_between_the_clock_before_and_after() -> None:
    before = timestamp(datetime.now(UTC))
    assert before <= now() <= timestamp(datetime.now(UTC))


def test_new_id_when_called_again_then_differs() -> None:
    assert len({new_id() for _ in range(1000)}) == 1000


@given(
    st.builds(
        State,
        speaking=st.booleans(),
        emotion=st.text(),
        confidence=st.none() | probabilities,
        arousal=coordinates,
        valence=coordinates,
        since=stamps,
    )
)
def test_state_when_encoded_and_decoded_then_agrees_to_four_digits(state: State) -> None:
    back = msgspec.json.decode(encode(state), type=State)
    assert (back.speaking, back.emotion, back.since) == (state.speaking, state.emotion, state.since)
    for field in ("confidence", "arousal", "valence"):
        assert getattr(back, field) == pytest.approx(getattr(state, field), abs=5.1e-5)


@given(
    st.builds(
        Turn,
        id=st.text(min_size=1),
        started=stamps,
        ended=stamps,
        duration=st.floats(0, 1e5),
        emotion=st.text(),
        confidence=probabilities,
        probabilities=st.dictionaries(st.text(), probabilities),
        arousal=coordinates,
        valence=coordinates,
        snr_db=st.none() | st.floats(-200, 200),
        model=st.text(),
        model_sha256=st.binary().map(lambda data: hashlib.sha256(data).hexdigest()),
    )
)
def test_turn_when_encoded_and_decoded_then_agrees_to_four_digits(turn: Turn) -> None:
    back = msgspec.json.decode(encode(turn), type=Turn)
    for field in ("id", "started", "ended", "emotion", "model", "model_sha256"):
        assert getattr(back, field) == getattr(turn, field)
    for field in ("duration", "confidence", "probabilities", "arousal", "valence", "snr_db"):
        assert getattr(back, field) == pytest.approx(getattr(turn, field), abs=5.1e-5)


def test_encode_when_given_a_state_then_is_the_documented_json() -> None:
    state = State(
        speaking=False,
        emotion="uncertain",
        confidence=1 / 3,
        arousal=-0.00001,
        valence=0.5,
        since="2026-01-02T03:04:05.678Z",
    )
    assert encode(state) == (
        b'{"speaking":false,"emotion":"uncertain","confidence":0.3333,"arousal":0.0,"valence":0.5,'
        b'"since":"2026-01-02T03:04:05.678Z","provisional":false,"microphone":"ok"}'
    )


def test_encode_when_given_a_turn_then_has_the_documented_keys() -> None:
    assert list(msgspec.json.decode(encode(make_turn("t1")))) == [
        "id", "started", "ended", "duration", "emotion", "confidence", "probabilities", "arousal", "valence",
        "doubts", "snr_db", "model", "model_sha256",
    ]  # fmt: skip


def test_encode_when_a_float_is_not_finite_then_is_null() -> None:
    turn = msgspec.structs.replace(make_turn("t1"), snr_db=float("inf"))
    assert msgspec.json.decode(encode(turn), type=Turn).snr_db is None


@pytest.mark.parametrize("since", ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.678+00:00", "yesterday"])
def test_state_when_its_timestamp_has_another_form_then_does_not_decode(since: str) -> None:
    payload = encode(msgspec.structs.replace(make_state(), since=since))
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(payload, type=State)


def test_messages_when_asked_for_their_schema_then_have_one() -> None:
    for kind in (State, Turn):
        schema = msgspec.json.schema(kind)["$defs"][kind.__name__]
        assert set(schema["properties"]) == set(kind.__struct_fields__)
