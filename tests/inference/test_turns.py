from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.inference.turns import TurnBegan, TurnClosed, TurnDetector, TurnSettings

HOP_S = 0.1
"""Long hops, so that short random sequences hold whole turns"""


def runs(max_length):
    """Speech and silence in stretches, as they come; not hop by hop, where turns would be rare."""
    stretch = st.tuples(st.booleans(), st.integers(1, max_length))
    return st.lists(stretch, max_size=30).map(lambda parts: [flag for flag, n in parts for _ in range(n)])


def times(low, high):
    return st.integers(low, high).map(lambda hops: hops * HOP_S)


@st.composite
def settings_of_turns(draw):
    onset, margin, hangover, least = (draw(times(1, n)) for n in (4, 4, 6, 8))
    least_longest = max(least + hangover, 2 * onset + margin)
    return TurnSettings(
        onset_s=onset,
        pre_roll_s=margin,
        hangover_s=hangover,
        min_speech_s=least,
        max_turn_s=least_longest + draw(times(1, 30)),
    )


def hops_of(seconds):
    return round(seconds / HOP_S)


def turns_of(speech, settings):
    """Every event with the hops heard when it came; the last is that of the flush."""
    detector = TurnDetector(settings, HOP_S)
    events = []
    for heard, flag in enumerate(speech, 1):
        event = detector.push(flag)
        if event is not None:
            events.append((heard, event))
    last = detector.flush()
    return events + ([(len(speech), last)] if last is not None else [])


def closed_of(speech, settings):
    return [event for _, event in turns_of(speech, settings) if isinstance(event, TurnClosed)]


@given(runs(12), settings_of_turns())
def test_turns_when_any_hops_then_each_beginning_has_its_end_in_order(speech, settings):
    events = [event for _, event in turns_of(speech, settings)]

    assert [type(event) for event in events] == [TurnBegan, TurnClosed] * (len(events) // 2)
    for began, closed in zip(events[::2], events[1::2], strict=True):
        assert closed.start == began.start
        assert 0 <= closed.start < closed.speech_end <= closed.end <= len(speech)


@given(runs(12), settings_of_turns())
def test_turns_when_any_hops_then_they_never_overlap(speech, settings):
    for earlier, later in pairwise(closed_of(speech, settings)):
        assert earlier.end <= later.start


@given(runs(12), settings_of_turns())
def test_turns_when_a_run_of_speech_is_long_enough_then_it_is_inside_turns(speech, settings):
    onset = hops_of(settings.onset_s)
    turns = closed_of(speech, settings)
    inside = {hop for turn in turns for hop in range(turn.start, turn.end)}
    ends = {turn.end for turn in turns}
    start = 0
    while start < len(speech):
        end = start
        while end < len(speech) and speech[end] == speech[start]:
            end += 1
        run = range(start, end)
        if speech[start] and len(run) >= onset:
            outside = [hop for hop in run if hop not in inside]
            # Where a turn was full in the middle of the run, the rest may be too short for another.
            assert len(outside) <= (onset - 1 if ends.intersection(range(start, end)) else 0)
        start = end


@given(runs(40), settings_of_turns())
def test_turns_when_speech_does_not_end_then_none_is_longer_than_allowed(speech, settings):
    for turn in closed_of(speech, settings):
        assert turn.end - turn.start <= hops_of(settings.max_turn_s)


@given(runs(12), settings_of_turns())
def test_turns_when_one_ends_then_after_the_hangover_or_full_or_at_the_end_of_sound(speech, settings):
    hangover, longest = hops_of(settings.hangover_s), hops_of(settings.max_turn_s)
    for turn in closed_of(speech, settings):
        tail = speech[turn.start : turn.end][-hangover:]
        paused = len(tail) == hangover and not any(tail)
        assert paused or turn.end - turn.start == longest or turn.end == len(speech)
        # No pause of that length inside: the turn would have ended with it.
        began = turn.start + 2 * hops_of(settings.onset_s) + hops_of(settings.pre_roll_s)
        for hop in range(began, turn.end - hangover):
            assert any(speech[hop : hop + hangover])


@given(runs(12), settings_of_turns())
def test_turns_when_they_are_told_then_at_the_hop_that_decides(speech, settings):
    for heard, event in turns_of(speech, settings):
        if isinstance(event, TurnClosed):
            assert event.end == heard
        else:
            assert heard - event.start <= 2 * hops_of(settings.onset_s) + hops_of(settings.pre_roll_s)


@given(runs(12), settings_of_turns())
def test_turns_when_speech_is_short_of_the_minimum_then_not_enough(speech, settings):
    least, margin = hops_of(settings.min_speech_s), hops_of(settings.pre_roll_s)
    for turn in closed_of(speech, settings):
        spoken = sum(speech[turn.start : turn.end])
        in_pre_roll = sum(speech[turn.start : turn.start + margin])
        if turn.enough:
            assert spoken >= least
        elif spoken >= least:
            assert spoken - in_pre_roll < least


@given(runs(12), settings_of_turns())
def test_turns_when_a_turn_ends_then_what_the_model_hears_ends_with_the_speech(speech, settings):
    margin = hops_of(settings.pre_roll_s)
    for turn in closed_of(speech, settings):
        last = max(hop for hop in range(turn.start, turn.end) if speech[hop])
        assert turn.speech_end == min(last + 1 + margin, turn.end)


@given(runs(12), runs(12), settings_of_turns())
def test_turns_when_reset_then_as_new(before, speech, settings):
    detector = TurnDetector(settings, HOP_S)
    for flag in before:
        detector.push(flag)
    detector.reset()
    again = [event for flag in speech if (event := detector.push(flag)) is not None]
    last = detector.flush()

    assert again + ([last] if last else []) == [event for _, event in turns_of(speech, settings)]


def test_turns_when_silence_then_none_and_flush_gives_nothing():
    detector = TurnDetector(TurnSettings(), 0.01)

    assert not any(detector.push(False) for _ in range(10_000))
    assert detector.flush() is None


def test_turns_when_flushed_in_a_turn_then_it_is_closed_once():
    detector = TurnDetector(TurnSettings(), 0.01)
    for _ in range(50):
        detector.push(True)

    assert detector.flush() == TurnClosed(start=0, speech_end=50, end=50, speech=50, enough=True)
    assert detector.flush() is None


def test_turns_when_clicks_are_sparse_then_no_turn_begins():
    detector = TurnDetector(TurnSettings(), 0.01)

    assert not any(detector.push(hop % 3 == 0) for hop in range(3_000))


def test_turns_when_defaults_then_one_for_a_word_between_silences():
    speech = [False] * 100 + [True] * 80 + [False] * 100
    settings = TurnSettings()
    detector = TurnDetector(settings, 0.01)
    events = [event for flag in speech if (event := detector.push(flag)) is not None]

    assert events == [TurnBegan(90), TurnClosed(start=90, speech_end=190, end=240, speech=80, enough=True)]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"onset_s": 0.0}, "onset_s"),
        ({"onset_s": -0.1}, "onset_s"),
        ({"hangover_s": float("nan")}, "hangover_s"),
        ({"max_turn_s": float("inf")}, "max_turn_s"),
        ({"none_after_s": 3601.0}, "none_after_s"),
        ({"provisional_s": 0.0}, "provisional_s"),
        ({"switch_margin": 1.1}, "switch_margin"),
        ({"most_clipped": -0.1}, "most_clipped"),
        ({"least_snr_db": float("nan")}, "least_snr_db"),
        ({"max_turn_s": 0.8}, "min_speech_s and hangover_s"),
        ({"max_turn_s": 5.0, "onset_s": 2.5}, "twice onset_s"),
    ],
)
def test_turn_settings_when_they_make_no_sense_then_refused_by_name(changes, words):
    with pytest.raises(ValueError, match=words):
        TurnSettings(**changes)
