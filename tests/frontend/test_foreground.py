from edge.frontend.foreground import Foreground


def heard(levels_db):
    """Which hops of 10 ms are in the foreground; None is a hop without a voice."""
    foreground = Foreground(0.01)
    return [foreground.step(level is not None, -90.0 if level is None else level) for level in levels_db]


def test_foreground_when_the_level_falls_far_below_the_word_before_then_no_more_speech():
    assert heard([-20.0] * 30 + [-45.0] * 20) == [True] * 30 + [False] * 20


def test_foreground_when_somebody_goes_on_a_little_more_softly_then_still_speech():
    assert all(heard([-20.0] * 30 + [-35.0] * 300))


def test_foreground_when_a_soft_voice_follows_a_loud_one_behind_a_pause_then_it_is_heard_at_once():
    assert heard([-10.0] * 30 + [None] * 60 + [-50.0] * 10)[-10:] == [True] * 10


def test_foreground_when_something_loud_has_no_voice_then_it_hides_no_words():
    foreground = Foreground(0.01)
    foreground.step(True, -40.0)
    foreground.step(False, 0.0)

    assert foreground.step(True, -40.0)
