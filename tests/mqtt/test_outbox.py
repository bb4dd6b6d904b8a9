"""What every outbox promises, on disk or in memory."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.mqtt.durable_outbox import DurableOutbox, open_outbox
from edge.mqtt.errors import MqttSettingsError
from edge.mqtt.outbox import MemoryOutbox, Outbox
from edge.mqtt.outbox_settings import OutboxSettings, Storage

Make = Callable[..., Outbox]
reused = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)


@pytest.fixture(params=["memory", "disk", "reopened"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """Makes an outbox; `reopened` writes and reads its file again before each look at its head."""
    numbers = itertools.count()

    def memory(clock: Callable[[], float] = lambda: 0.0, **changes: object) -> Outbox:
        return MemoryOutbox(OutboxSettings(**changes), clock)  # type: ignore[arg-type]

    def disk(clock: Callable[[], float] = lambda: 0.0, **changes: object) -> Outbox:
        kind = _Reopened if request.param == "reopened" else DurableOutbox
        return kind(OutboxSettings(**changes), tmp_path / f"{next(numbers)}.sqlite3", clock)  # type: ignore[arg-type]

    return memory if request.param == "memory" else disk


class _Reopened(DurableOutbox):
    def head(self) -> tuple[int, bytes] | None:
        dropped = self.dropped
        self.close()
        self.__init__(self._settings, self._path, self._clock)  # type: ignore[misc]
        head = super().head()
        self._dropped += dropped
        return head


def drain(outbox: Outbox) -> list[bytes]:
    left = []
    while (head := outbox.head()) is not None:
        left.append(head[1])
        outbox.remove(head[0])
    return left


@reused
@given(turns=st.lists(st.binary(), max_size=20), capacity=st.integers(1, 10))
def test_outbox_when_fuller_than_its_capacity_then_keeps_the_newest_in_order(
    make: Make, turns: list[bytes], capacity: int
) -> None:
    outbox = make(max_turns=capacity)
    for turn in turns:
        outbox.put(turn)
    assert outbox.dropped == max(0, len(turns) - capacity)
    assert len(outbox) == min(len(turns), capacity)
    assert drain(outbox) == turns[-capacity:]
    assert len(outbox) == 0
    outbox.close()


def test_outbox_when_larger_than_its_bytes_then_keeps_the_newest(make: Make) -> None:
    outbox = make(max_bytes=65_536)
    for number in range(100):
        outbox.put(bytes([number]) * 1000)
    assert (len(outbox), outbox.dropped) == (65, 35)
    assert drain(outbox) == [bytes([number]) * 1000 for number in range(35, 100)]


def test_outbox_when_turns_are_too_old_then_they_are_dropped_and_counted(make: Make) -> None:
    now = 1000.0
    outbox = make(lambda: now, max_age_s=60)
    outbox.put(b"old")
    now += 50.0
    outbox.put(b"young")
    now += 20.0
    head = outbox.head()
    assert head is not None
    assert head[1] == b"young"
    assert (len(outbox), outbox.dropped) == (1, 1)


def test_outbox_when_the_head_is_dropped_before_its_removal_then_the_next_stays(make: Make) -> None:
    outbox = make(max_turns=1)
    outbox.put(b"first")
    head = outbox.head()
    assert head is not None
    outbox.put(b"second")
    outbox.remove(head[0])
    second = outbox.head()
    assert second is not None
    assert second[1] == b"second"


steps = st.lists(st.just("put") | st.just("remove") | st.just("reopen"), max_size=60)


@reused
@given(steps)
def test_outbox_when_used_in_any_order_then_is_a_queue(make: Make, sequence: list[str]) -> None:
    outbox, expected = make(max_turns=30), []
    for number, step in enumerate(sequence):
        if step == "put":
            outbox.put(b"%d" % number)
            expected = [*expected, b"%d" % number][-30:]
        elif (head := outbox.head()) is not None and step == "remove":
            assert head[1] == expected.pop(0)
            outbox.remove(head[0])
        assert len(outbox) == len(expected)
    assert drain(outbox) == expected
    outbox.close()


def test_open_outbox_when_memory_is_wanted_then_touches_no_disk(state_home: Path) -> None:
    before = sorted(state_home.rglob("*"))
    open_outbox(OutboxSettings(storage=Storage.MEMORY), "pi").put(b"turn")
    assert sorted(state_home.rglob("*")) == before


def test_path_when_not_set_then_is_in_the_state_folder_and_named_after_the_device(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert OutboxSettings().file("kitchen") == tmp_path / "affectd" / "outbox-kitchen.sqlite3"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"path": ""}, "path"),
        ({"path": "x", "storage": Storage.MEMORY}, "path"),
        ({"fsync": True, "storage": Storage.MEMORY}, "fsync"),
        ({"commit_s": 0.0}, "commit_s"),
        ({"max_turns": 0}, "max_turns"),
        ({"max_bytes": 1}, "max_bytes"),
        ({"max_age_s": 0.0}, "max_age_s"),
    ],
)
def test_settings_when_a_value_makes_no_sense_then_the_error_names_it(
    changes: dict[str, object], field: str
) -> None:
    with pytest.raises(MqttSettingsError, match=field):
        OutboxSettings(**changes)  # type: ignore[arg-type]
