import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge.inference.windows import cut_windows, each_window


def numbered(n, width=3):
    """Frames that say which they are; from 1, because 0 is the padding."""
    return np.repeat(np.arange(1, n + 1, dtype=np.float32)[:, None], width, axis=1)


@given(st.integers(1, 600), st.integers(1, 200), st.integers(1, 120))
def test_cut_windows_when_turn_is_longer_then_all_frames_covered_in_steps_within_the_hop(n, n_frames, hop):
    windows = cut_windows(numbered(n), n_frames, hop)
    first = windows[:, 0, 0].astype(int)

    assert windows.shape[1:] == (n_frames, 3)
    assert windows.dtype == np.float32
    if n < n_frames:
        return
    assert first[0] == 1
    assert windows[-1, -1, 0] == n
    for start, window in zip(first, windows, strict=True):
        np.testing.assert_array_equal(window[:, 0], np.arange(start, start + n_frames))
    steps = np.diff(first)
    assert (steps >= 1).all()
    assert (steps <= hop).all()
    if hop <= n_frames:
        assert set(windows[:, :, 0].ravel().astype(int)) == set(range(1, n + 1))


@given(st.integers(1, 200), st.integers(0, 200))
def test_cut_windows_when_turn_is_shorter_then_one_window_padded_with_the_mean(n, spare):
    windows = cut_windows(numbered(n), n + spare, 50)

    assert windows.shape == (1, n + spare, 3)
    np.testing.assert_array_equal(windows[0, :n], numbered(n))
    assert not windows[0, n:].any()


def test_each_window_when_turn_is_longer_then_none_is_a_copy():
    frames = numbered(600)

    assert all(window.base is frames for window in each_window(frames, 200, 50))
