"""Recordings that wait: one at a time, few at once, and none longer than somebody wants it."""

import asyncio
import threading

import pytest

from edge.web.desk import Desk
from edge.web.errors import RequestError, StoppedError


def work_until(stop_asked):
    """Work that goes on until it is told to stop, and says that it was."""

    def work(stopped):
        stop_asked["began"].set()
        while not stopped():
            stop_asked["look"].wait(0.005)
        stop_asked["stopped"].set()
        raise StoppedError

    return work


@pytest.fixture
def told():
    return {name: threading.Event() for name in ("began", "look", "stopped")}


def test_place_when_all_are_taken_then_refused_with_503_until_one_is_free():
    desk = Desk(max_waiting=1)
    with desk.place():
        with desk.place(), pytest.raises(RequestError) as refused, desk.place():
            pass
        assert refused.value.status == 503
        with desk.place():
            assert desk.held == 2
    assert desk.held == 0


def test_do_when_several_come_then_one_is_done_at_a_time():
    at_once, most, lock = 0, 0, threading.Lock()

    def work(_stopped):
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        with lock:
            at_once -= 1
        return "done"

    async def several():
        desk = Desk(max_waiting=5)
        return await asyncio.gather(*(desk.do(work) for _ in range(5)))

    assert asyncio.run(several()) == ["done"] * 5
    assert most == 1


def test_do_when_nobody_waits_any_more_then_the_work_is_told_to_stop(told):
    async def leave():
        desk = Desk(max_waiting=0)
        task = asyncio.ensure_future(desk.do(work_until(told)))
        await asyncio.to_thread(told["began"].wait)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return await asyncio.to_thread(told["stopped"].wait, 20.0)

    assert asyncio.run(leave())


def test_close_when_work_is_going_on_then_it_stops_and_nothing_begins(told):
    async def close():
        desk = Desk(max_waiting=1)
        task = asyncio.ensure_future(desk.do(work_until(told)))
        await asyncio.to_thread(told["began"].wait)
        desk.close()
        with pytest.raises(StoppedError):
            await task
        with pytest.raises(StoppedError):
            await desk.do(lambda _stopped: None)
        with pytest.raises(RequestError, match="is stopping"), desk.place():
            pass

    asyncio.run(close())
