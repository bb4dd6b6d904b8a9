from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge.mqtt.outbox import MemoryOutbox


@given(st.lists(st.binary()), st.integers(1, 10))
def test_outbox_when_fuller_than_its_capacity_then_keeps_the_newest_in_order(
    turns: list[bytes], capacity: int
) -> None:
    outbox = MemoryOutbox(capacity)
    for turn in turns:
        outbox.put(turn)
    assert outbox.dropped == max(0, len(turns) - capacity)
    left = []
    while (head := outbox.head()) is not None:
        left.append(head[1])
        outbox.remove(head[0])
    assert left == turns[-capacity:]
    assert len(outbox) == 0


def test_outbox_when_the_head_is_dropped_before_its_removal_then_the_next_stays() -> None:
    outbox = MemoryOutbox(1)
    outbox.put(b"first")
    head = outbox.head()
    assert head is not None
    outbox.put(b"second")
    outbox.remove(head[0])
    assert outbox.head() == (1, b"second")
