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


def test_foreground_when_voices_never_pause_then_those_behind_the_loudest_are_no_speech():
    background = [-35.0] * 100

    assert heard(background * 10 + [-20.0] * 100 + background)[-200:] == [True] * 100 + [False] * 100


def test_foreground_when_voices_never_pause_then_the_next_in_the_foreground_is_heard_at_once():
    background = [-35.0] * 100

    assert heard(background * 10 + [-20.0] * 100 + background * 3 + [-22.0] * 50)[-50:] == [True] * 50


def test_foreground_when_one_voice_talks_for_long_and_breathes_then_its_soft_words_are_heard():
    words = [-20.0] * 150 + [-35.0] * 50 + [None] * 40

    assert heard(words * 10)[-len(words) :] == [True] * 200 + [False] * 40
