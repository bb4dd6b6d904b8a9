import numpy as np
import pytest

from edge.audio.offset import OffsetRemover


@pytest.mark.parametrize("offset", [-0.3, 0.0, 0.05])
def test_offset_when_constant_then_taken_out_and_the_sound_left(offset):
    sound = 0.2 * np.sin(2 * np.pi * 200 * np.arange(64_000) / 16_000).astype(np.float32)
    remover = OffsetRemover()
    out = np.concatenate([remover.push(part) for part in np.split(sound + np.float32(offset), 200)])

    assert out.dtype == np.float32
    np.testing.assert_allclose(out, sound, atol=2e-3)


def test_offset_when_it_moves_then_followed_within_seconds():
    remover = OffsetRemover()
    remover.push(np.zeros(320, np.float32))
    out = [remover.push(np.full(320, 0.1, np.float32)) for _ in range(150)]

    assert abs(float(out[0].mean())) > 0.09
    assert abs(float(out[-1].mean())) < 0.001
