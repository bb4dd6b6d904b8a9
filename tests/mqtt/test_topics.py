from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import topic_matches_sub

from edge.mqtt.errors import MqttSettingsError
from edge.mqtt.topics import Topics, device_name


def test_topics_when_made_then_are_those_of_the_contract() -> None:
    topics = Topics("home/affectd", "kiosk-1")
    assert topics.availability == "home/affectd/kiosk-1/availability"
    assert topics.state == "home/affectd/kiosk-1/state"
    assert topics.turn == "home/affectd/kiosk-1/turn"
    assert topics.command == "home/affectd/kiosk-1/command"


@given(st.text(max_size=80) | st.from_regex(r"[a-z0-9-]{0,70}", fullmatch=True))
def test_device_when_any_text_then_is_taken_exactly_if_the_contract_says_so(device: str) -> None:
    allowed = 1 <= len(device) <= 64 and set(device) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    if allowed:
        assert Topics("affectd", device).device == device
    else:
        with pytest.raises(MqttSettingsError, match="device"):
            Topics("affectd", device)


@given(
    st.text(max_size=300)
    | st.lists(st.sampled_from(["home", "a b", "ü", "", "+", "#", "$SYS"])).map("/".join)
)
def test_base_topic_when_any_text_is_taken_then_it_can_be_published_to(base: str) -> None:
    try:
        topics = Topics(base, "pi")
    except MqttSettingsError:
        return
    assert not set(base) & set("+#\0")
    assert not base.startswith(("/", "$"))
    assert "" not in base.split("/")
    assert len(topics.availability.encode()) < 65_536
    assert topic_matches_sub(f"{base}/+/availability", topics.availability)


@pytest.mark.parametrize(
    "base", ["", "/", "/affectd", "affectd/", "a//b", "a/+/b", "#", "$SYS", "a\0b", "x" * 300]
)
def test_base_topic_when_unfit_then_is_refused(base: str) -> None:
    with pytest.raises(MqttSettingsError, match="base_topic"):
        Topics(base, "pi")


@given(st.text())
def test_device_name_when_made_from_any_host_name_then_fits(hostname: str) -> None:
    assert re.fullmatch(r"[a-z0-9-]{1,64}", device_name(hostname))


@pytest.mark.parametrize(
    ("hostname", "device"),
    [
        ("raspberrypi", "raspberrypi"),
        ("Pi_4.local", "pi-4"),
        ("", "affectd"),
        ("Küche", "k-che"),
        ("---", "affectd"),
    ],
)
def test_device_name_when_made_from_a_host_name_then_resembles_it(hostname: str, device: str) -> None:
    assert device_name(hostname) == device
