import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from training.vocal_tract import stretched

mels = arrays(np.float32, (2, 3, 20), elements=st.floats(-20, 5, width=32, allow_subnormal=False))


@given(mels)
def test_vocal_tract_when_it_is_the_same_then_so_is_the_sound(mel):
    np.testing.assert_allclose(stretched(mel, np.ones(2)), mel, atol=1e-5)


@pytest.mark.parametrize("factor", [0.8, 1.25])
def test_vocal_tract_when_a_resonance_lies_elsewhere_then_it_is_found_there(factor):
    mel = -((np.arange(40) - 20.0) ** 2)[None, None].astype(np.float32)

    assert stretched(mel, np.array([factor]))[0, 0].argmax() == round(20 / factor)


@given(mels, st.floats(0.7, 1.4))
def test_vocal_tract_when_stretched_then_nothing_is_louder_or_softer_than_before(mel, factor):
    changed = stretched(mel, np.full(2, factor))

    assert changed.max() <= mel.max() + 1e-4
    assert changed.min() >= mel.min() - 1e-4
