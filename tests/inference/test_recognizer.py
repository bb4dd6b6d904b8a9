import gc
import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.frontend.mfcc import SignalError, mfcc
from edge.frontend.vad import Detector, GateSettings
from edge.inference.recognizer import (
    EmotionLapsed,
    FirstImpression,
    Recognizer,
    SpeechDropped,
    SpeechStarted,
    TurnResult,
)
from edge.inference.turns import TurnSettings

HOP = 160
RATE = 16_000


@pytest.fixture(scope="session")
def offline(model, demo_speech):
    """The events of the bundled speech, heard at once."""
    return heard(model, [demo_speech])


def heard(model, blocks, turns=None, gate=None):
    recognizer = Recognizer(model, turns, gate)
    events = [event for block in blocks for event in recognizer.push(block)]
    return events + recognizer.flush()


def bursts(model, blocks, turns=None, margin_db=9.0):
    """The events of noise in bursts, which stands for speech where the level alone decides."""
    events = heard(model, blocks, turns, GateSettings(detector=Detector.ENERGY, margin_db=margin_db))
    return [event for event in events if not isinstance(event, FirstImpression)]


def kinds(events):
    """Their types, in order, without the first impressions."""
    return [type(event) for event in events if not isinstance(event, FirstImpression)]


def burst(seconds, db=-15, seed=4):
    rng = np.random.default_rng(seed)
    return (10 ** (db / 20) * rng.standard_normal(round(seconds * RATE))).astype(np.float32)


def silence(seconds):
    return burst(seconds, -75, 5)


def test_recognizer_when_bundled_speech_then_turns_in_order(offline, demo_speech):
    turns = [event for event in offline if isinstance(event, TurnResult)]

    assert len(turns) >= 5
    for earlier, later in pairwise(turns):
        assert earlier.end <= later.start
    for turn in turns:
        assert 0 <= turn.start < turn.end <= demo_speech.size
        assert turn.start % HOP == turn.end % HOP == 0
        assert turn.snr_db > 9


@settings(deadline=None, max_examples=12)
@given(st.lists(st.integers(0, 580_000), max_size=60), st.lists(st.integers(0, 579_000), max_size=4))
def test_recognizer_when_cut_anywhere_then_the_same_events_and_probabilities(
    model, demo_speech, offline, cuts, fine
):
    # Around some places, sample by sample.
    ends = sorted({*cuts, *(place + i for place in fine for i in range(300))})

    assert heard(model, np.split(demo_speech, ends)) == offline


@pytest.mark.parametrize("length", [HOP, 512, 1_600, 4_801])
def test_recognizer_when_blocks_are_of_one_length_then_the_same_events(model, demo_speech, offline, length):
    assert heard(model, np.split(demo_speech, range(length, demo_speech.size, length))) == offline


def test_recognizer_when_one_sample_at_a_time_then_the_same_events(model, demo_speech):
    part = demo_speech[: 3 * RATE]

    assert heard(model, part[:, None]) == heard(model, [part])


def test_recognizer_when_a_turn_ends_then_the_answer_is_that_of_its_frames(model, demo_speech, offline):
    hangover = round(TurnSettings().hangover_s * 100)
    margin = round(TurnSettings().pre_roll_s * 100)
    turns = [event for event in offline if isinstance(event, TurnResult)]
    voice = model.new_voice()
    for turn in turns[:-1]:
        # The hangover closed it, so the last speech lies that far back.
        spoken = mfcc(demo_speech[turn.start :], model.mfcc_config)[
            : (turn.end - turn.start) // HOP - hangover + margin
        ]
        assert model.answer(spoken, voice) == turn.answer
        model.teach(voice, spoken)


def test_recognizer_when_a_turn_begins_then_it_is_told_before_it_ends(offline):
    open_since = None
    for event in offline:
        if isinstance(event, SpeechStarted):
            assert open_since is None
            open_since = event.start
        elif isinstance(event, FirstImpression):
            assert event.start == open_since
            assert event.at > open_since
        elif isinstance(event, TurnResult | SpeechDropped):
            assert event.start == open_since
            open_since = None
        else:
            assert open_since is None


def test_recognizer_when_a_cough_then_dropped(model):
    events = bursts(model, [silence(2), burst(0.15), silence(3)])

    assert kinds(events) == [SpeechStarted, SpeechDropped]
    assert events[0].start == events[1].start
    assert 1.8 * RATE < events[1].start < 2.1 * RATE


def test_recognizer_when_a_click_then_nothing(model):
    assert bursts(model, [silence(2), burst(0.01, -5), silence(3)]) == []


def test_recognizer_when_silence_after_a_turn_then_its_emotion_lapses_once(model):
    events = bursts(model, [silence(1), burst(0.8), silence(30)], TurnSettings(none_after_s=5.0))

    assert kinds(events) == [SpeechStarted, TurnResult, EmotionLapsed]
    assert events[2].at - events[1].end == 5 * RATE


def test_recognizer_when_a_cough_follows_a_turn_then_the_emotion_lapses_no_later(model):
    cough = [silence(2), burst(0.15)]
    blocks = [silence(1), burst(0.8), *cough * 6, silence(5)]
    events = bursts(model, blocks, TurnSettings(none_after_s=5.0))
    lapsed = [event for event in events if isinstance(event, EmotionLapsed)]

    assert kinds(events).count(SpeechDropped) == 6
    assert len(lapsed) == 1
    # Not while something that could be speech goes on, and then at once.
    assert 5 * RATE <= lapsed[0].at - events[1].end <= 6 * RATE


def test_recognizer_when_a_cough_without_any_turn_before_then_nothing_lapses(model):
    assert EmotionLapsed not in kinds(bursts(model, [silence(1), burst(0.15), silence(20)]))


def test_recognizer_when_the_next_turn_comes_in_time_then_nothing_lapses_between(model):
    blocks = [silence(1), burst(0.8), silence(3), burst(0.8), silence(3)]

    assert kinds(bursts(model, blocks, TurnSettings(none_after_s=5.0))) == [SpeechStarted, TurnResult] * 2


def test_recognizer_when_speech_does_not_pause_then_turns_of_the_longest_length(model, demo_speech):
    settings_ = TurnSettings(max_turn_s=2.0, hangover_s=1.5)
    turns = [e for e in heard(model, [demo_speech], settings_) if isinstance(e, TurnResult)]
    lengths = [turn.end - turn.start for turn in turns]

    assert max(lengths) == 2 * RATE
    assert any(earlier.end == later.start for earlier, later in pairwise(turns))


def test_recognizer_when_the_sound_ends_in_a_turn_then_flush_closes_it(model, demo_speech):
    recognizer = Recognizer(model)
    events = recognizer.push(demo_speech[:20_000])
    assert kinds(events) == [SpeechStarted]

    assert kinds(recognizer.flush()) == [TurnResult]
    assert recognizer.flush() == []


def test_recognizer_when_reset_in_a_turn_then_as_new(model, demo_speech, offline):
    recognizer = Recognizer(model)
    recognizer.push(demo_speech[100:33_333])
    recognizer.reset()

    assert recognizer.samples == 0
    assert recognizer.push(demo_speech) + recognizer.flush() == offline


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_recognizer_when_a_block_is_no_sound_then_refused_and_the_stream_goes_on(
    model, demo_speech, offline, bad
):
    recognizer = Recognizer(model)
    events = recognizer.push(demo_speech[:50_000])
    with pytest.raises(SignalError):
        recognizer.push(np.array([0.0, bad], np.float32))

    assert events + recognizer.push(demo_speech[50_000:]) + recognizer.flush() == offline


def test_recognizer_when_int16_blocks_then_the_same_as_their_floats(model, demo_speech):
    whole = (demo_speech[: 5 * RATE] * 32_767).astype(np.int16)

    assert heard(model, [whole]) == heard(model, [whole.astype(np.float32) / 32_768])


def test_recognizer_when_empty_blocks_then_the_turns_are_the_same(model, demo_speech, offline):
    empty = np.empty(0, np.float32)

    assert heard(model, [empty, demo_speech, empty]) == offline


def test_recognizer_when_silence_lasts_then_memory_does_not_grow(model):
    recognizer = Recognizer(model)
    block = silence(1)
    tracemalloc.start()
    for _ in range(20):
        recognizer.push(block)
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(300):
        recognizer.push(block)
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()

    assert recognizer.samples == 320 * RATE
    assert grown < 20_000
    assert len(recognizer._frames.until(recognizer._hops)) == 0


def test_recognizer_when_speech_lasts_then_no_more_frames_are_kept_than_a_turn_has(model, demo_speech):
    recognizer = Recognizer(model, TurnSettings(max_turn_s=3.0))
    for block in np.split(np.tile(demo_speech, 2), range(1_600, 2 * demo_speech.size, 1_600)):
        recognizer.push(block)
        assert len(recognizer._frames._frames) <= 300 + 100
        assert len(recognizer._speech) <= 300


def test_recognizer_when_the_sound_has_an_offset_then_the_turns_are_the_same(model, demo_speech, offline):
    turns = [event for event in offline if isinstance(event, TurnResult)]
    offset = [event for event in heard(model, [demo_speech + 0.05]) if isinstance(event, TurnResult)]

    # The levels do not know it; the frames do where it is quiet, and so the network's first and last hops.
    assert len(offset) == len(turns)
    for with_offset, without in zip(offset, turns, strict=True):
        assert abs(with_offset.start - without.start) <= 0.1 * RATE
        assert with_offset.snr_db == pytest.approx(without.snr_db, abs=1.0)


def test_recognizer_when_somebody_speaks_then_a_first_impression_every_half_second(offline):
    for index, event in enumerate(offline):
        if isinstance(event, TurnResult):
            guesses = [guess for guess in offline[:index] if getattr(guess, "start", None) == event.start][1:]
            times = [guess.at - event.start for guess in guesses]
            assert times == list(range(times[0], times[-1] + 1, RATE // 2)) if times else True
            assert len(times) >= (event.end - event.start) // (RATE // 2) - 2
            for guess in guesses:
                assert sum(guess.answer.probabilities.values()) == pytest.approx(1.0)


def test_recognizer_when_a_cough_then_no_first_impression(model):
    events = heard(model, [silence(2), burst(0.15), silence(3)], gate=GateSettings(detector=Detector.ENERGY))

    assert not any(isinstance(event, FirstImpression) for event in events)


@pytest.mark.parametrize(
    ("blocks", "doubt"),
    [
        ([silence(2), burst(0.4), silence(2)], "speech"),
        ([silence(2), np.sign(burst(1.5)), silence(2)], "clipping"),
        ([burst(5, -30), burst(1.5, -21), burst(2, -30)], "snr"),
    ],
    ids=["too little", "clipped", "noisy"],
)
def test_recognizer_when_the_sound_is_poor_then_uncertain_and_why(model, blocks, doubt):
    events = bursts(model, blocks, TurnSettings(least_snr_db=12.0), margin_db=6.0)
    # Before the floor is known, noise from the first sample on counts as speech.
    (turn,) = [event for event in events if isinstance(event, TurnResult) and event.start > RATE]

    assert turn.answer.emotion == "uncertain"
    assert doubt in turn.doubts


def test_recognizer_when_the_sound_is_good_then_only_the_confidence_raises_doubts(model, demo_speech):
    sure = [turn for turn in heard(model, [demo_speech]) if isinstance(turn, TurnResult) and not turn.doubts]
    unsure = [turn for turn in heard(model, [demo_speech]) if isinstance(turn, TurnResult) and turn.doubts]

    assert all(turn.answer.emotion in model.card.labels for turn in sure)
    assert all(turn.answer.emotion == "uncertain" for turn in unsure)
    assert {doubt for turn in unsure for doubt in turn.doubts} <= {"confidence"}


@pytest.mark.parametrize("detector", list(Detector))
def test_recognizer_when_noise_then_no_turn(model, detector):
    events = heard(model, [burst(20, -30)], gate=GateSettings(detector=detector))

    assert not [event for event in events if isinstance(event, TurnResult) and event.start > RATE]
