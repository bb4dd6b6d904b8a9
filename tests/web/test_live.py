"""The present of a device as its messages tell it, and those who follow it."""

import asyncio

import pytest
from support.subscriber import make_state, make_turn

from edge.mqtt.messages import Health, Microphone, encode
from edge.web.live import KEPT_TURNS, MAX_LISTENERS, Live


@pytest.fixture
def live():
    return Live("kitchen", "broker.lan:1883")


@pytest.fixture
def events():
    from edge.web.stream import events as stream_events  # noqa: PLC0415  # stands on FastAPI's Starlette

    return stream_events


def names(news):
    return [one.name for one in news]


def test_live_when_messages_come_then_the_present_is_what_they_say(live):
    live.receive("availability", b"online")
    live.receive("state", encode(make_state("sad")))
    live.broker(True, None)
    assert live.present.availability == "online"
    assert live.present.state.emotion == "sad"
    assert live.present.broker.connected


def test_live_when_a_retained_topic_is_cleared_then_nothing_is_known_of_it(live):
    live.receive("state", encode(make_state()))
    live.receive("state", b"")
    live.receive("availability", b"")
    assert live.present.state is None
    assert live.present.availability is None


def test_live_when_the_device_says_how_it_fares_then_it_is_known(live):
    health = Health(
        at="2026-01-02T03:04:05.678Z",
        uptime_s=60.0,
        cpu_percent=7.0,
        rss_bytes=90_000_000,
        dropped_samples=0,
        queued_turns=0,
        dropped_turns=0,
        muted=False,
        sensitivity_db=0.0,
        voice_turns=0,
        voice_strength=0.0,
        microphone=Microphone.OK,
    )
    live.receive("health", encode(health))
    assert live.present.health == health


@pytest.mark.parametrize("payload", [b"{", b"[]", b'{"speaking": 3}', b"\xff", b" " * 100_000])
def test_live_when_a_message_is_not_understood_then_it_is_left_out(live, payload):
    live.receive("state", encode(make_state()))
    before = live.present
    live.receive("state", payload)
    live.receive("turn", payload)
    assert live.present == before
    assert live.turns == []


def test_live_when_a_turn_is_delivered_twice_then_it_counts_once(live):
    for name in ("a", "b", "a"):
        live.receive("turn", encode(make_turn(name)))
    assert [turn.id for turn in live.turns] == ["a", "b"]


def test_live_when_many_turns_come_then_the_last_are_kept(live):
    for number in range(KEPT_TURNS + 5):
        live.receive("turn", encode(make_turn(str(number))))
    assert len(live.turns) == KEPT_TURNS
    assert live.turns[-1].id == str(KEPT_TURNS + 4)


def test_listener_when_it_joins_then_hears_everything_first_and_then_what_is_new(live):
    async def follow():
        live.receive("turn", encode(make_turn("early")))
        listener = live.join()
        first = await listener.hear(1.0)
        live.receive("turn", encode(make_turn("late")))
        live.receive("availability", b"offline")
        return first, await listener.hear(1.0)

    first, then = asyncio.run(follow())
    assert names(first) == ["snapshot"]
    assert [turn.id for turn in first[0].data.turns] == ["early"]
    assert names(then) == ["turn", "availability"]


def test_listener_when_it_is_slow_then_holds_little_and_is_told_the_whole_anew(live):
    async def follow():
        listener = live.join()
        await listener.hear(1.0)
        for number in range(10_000):
            live.receive("availability", b"online" if number % 2 else b"offline")
        return len(listener._news), await listener.hear(1.0), await listener.hear(0.0)

    held, news, rest = asyncio.run(follow())
    assert held < 100
    assert names(news) == ["snapshot"]
    assert news[0].data.present.availability == "online"
    assert rest == []


def test_join_when_too_many_listen_then_refused_until_one_leaves(live):
    async def follow():
        listeners = [live.join() for _ in range(MAX_LISTENERS)]
        refused = live.join()
        live.leave(listeners[0])
        return refused, live.join()

    refused, let_in = asyncio.run(follow())
    assert refused is None
    assert let_in is not None


def test_events_when_the_stream_is_given_up_then_its_place_is_free_again(live, events):
    async def follow():
        for _ in range(MAX_LISTENERS + 1):
            stream = events(live)
            assert await anext(stream) == b"retry: 2000\n\n"
            assert (await anext(stream)).startswith(b"event: snapshot\ndata: {")
            await stream.aclose()

    asyncio.run(follow())


def test_events_when_live_is_closed_then_the_stream_ends(live, events):
    async def follow():
        stream = events(live)
        await anext(stream)
        await anext(stream)
        rest = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        live.close()
        await rest
        return [part async for part in stream]

    assert asyncio.run(follow()) == []
