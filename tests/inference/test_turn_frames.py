import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.frontend.mfcc import MfccConfig, mfcc
from edge.inference.turn_frames import TurnFrames

HOP = 160
SOUND = np.random.default_rng(3).uniform(-0.5, 0.5, 5 * 16_000).astype(np.float32)
CONFIGS = {
    "mfcc": MfccConfig(),
    "pitch": MfccConfig(pitch=True),
    "deltas": MfccConfig(n_mfcc=13, delta_orders=2),
    "lead": MfccConfig(lead=200),
    "pre-emphasis": MfccConfig(preemphasis=0.97),
}


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_turn_frames_when_cut_and_asked_anywhere_then_those_of_a_recording_that_begins_there(config, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(SOUND)), max_size=20)))
    start = data.draw(st.integers(0, 300))
    frames = TurnFrames(config)
    expected = mfcc(SOUND[start * HOP :], config)
    begun, asked = False, 0
    for block in np.split(SOUND, cuts):
        frames.push(block)
        if not begun and frames.ready > start:
            frames.begin(start)
            begun = True
        if begun and data.draw(st.booleans()):
            asked = data.draw(st.integers(asked, frames.ready - start))
            assert np.array_equal(frames.until(start + asked), expected[:asked])
        frames.forget_before(start if not begun else frames.ready)

    n = frames.ready - start
    assert n == len(expected) - config.lookahead
    assert np.array_equal(frames.end(start + n), expected[:n])


def test_turn_frames_when_a_turn_follows_then_it_knows_nothing_of_the_one_before():
    config = MfccConfig(pitch=True)
    frames = TurnFrames(config)
    frames.push(SOUND)
    frames.begin(0)
    frames.end(100)
    frames.begin(100)

    assert np.array_equal(frames.until(200), mfcc(SOUND[100 * HOP :], config)[:100])


def test_turn_frames_when_nobody_speaks_then_no_frame_is_computed_and_little_sound_is_kept(monkeypatch):
    frames = TurnFrames(MfccConfig())
    monkeypatch.setattr(frames, "_mfcc", None)
    for second in range(100):
        frames.push(SOUND[:16_000])
        frames.forget_before(frames.ready - 30)
        assert sum(map(len, frames._sound)) <= 2 * 16_000
        assert frames.ready == 100 * (second + 1) - 2


def test_turn_frames_when_a_turn_is_long_then_its_sound_is_let_go_of_once_framed():
    frames = TurnFrames(MfccConfig())
    frames.begin(0)
    for _ in range(20):
        frames.push(SOUND[:16_000])
        frames.until(frames.ready)
        frames.forget_before(frames.ready - 30)

    assert sum(map(len, frames._sound)) <= 2 * 16_000


def test_turn_frames_when_reset_then_as_new():
    frames = TurnFrames(MfccConfig())
    frames.push(SOUND)
    frames.begin(10)
    frames.until(50)
    frames.reset()

    assert frames.ready == 0
    frames.push(SOUND[:1_600])
    frames.begin(0)
    assert np.array_equal(frames.until(5), mfcc(SOUND[:1_600], MfccConfig())[:5])
