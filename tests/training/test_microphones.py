"""That microphones colour the sound, and that what the network sees does not show it."""

import numpy as np
import pytest
from support.sound import DEMO_SPEECH

pytest.importorskip("scipy")

from edge.audio.files import read_file  # nothing here runs without the library
from edge.frontend.mfcc import mfcc
from edge.inference.model import EmotionModel
from edge.inference.reference import ReferencePrior
from edge.inference.voice import Voice
from training.conditions import CONDITIONS, heard
from training.microphones import CURVES, through
from training.noise import SAMPLE_RATE, pink

pytestmark = pytest.mark.training


@pytest.fixture(scope="module")
def model():
    return EmotionModel()


@pytest.fixture(scope="module")
def clean():
    """One sentence, over the quiet of a room: digital silence would turn into the rounding's noise."""
    speech = read_file(DEMO_SPEECH)[: 4 * SAMPLE_RATE]
    return (speech + 1e-3 * pink(speech.size, np.random.default_rng(0))).astype(np.float32)


def gain_db(microphone, hertz):
    """What becomes of a tone, against one of 1 kHz in the same sound."""
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    tone = sum(np.sin(2 * np.pi * f * time) for f in (hertz, 1_000.0))
    spectrum = np.abs(np.fft.rfft(through((0.1 * tone).astype(np.float32), microphone)))
    return 20 * np.log10(spectrum[round(hertz)] / spectrum[1_000])


def test_telephone_when_measured_then_passes_its_band_and_nothing_else():
    assert [gain_db("telephone", hertz) for hertz in (400.0, 3_000.0)] == pytest.approx([0.0, 0.0], abs=0.5)
    assert max(gain_db("telephone", hertz) for hertz in (80.0, 4_500.0, 7_000.0)) < -30.0


@pytest.mark.parametrize("microphone", CURVES)
def test_microphone_when_measured_then_its_curve_holds_and_the_speech_is_as_loud_and_not_later(
    microphone, clean
):
    at = 500.0
    hertz, decibels = np.array(CURVES[microphone]).T
    wanted = np.interp(np.log([at, 1_000.0]), np.log(hertz), decibels)
    coloured = through(clean, microphone)

    assert gain_db(microphone, at) == pytest.approx(wanted[0] - wanted[1], abs=0.7)
    assert coloured.shape == clean.shape
    assert np.mean(coloured**2) == pytest.approx(np.mean(clean**2), rel=0.05)
    click = np.zeros(4_000, np.float32)
    click[2_000] = 0.5
    assert np.argmax(np.abs(through(click, microphone))) == 2_000


@pytest.mark.parametrize("microphone", CURVES)
def test_reference_when_a_microphone_colours_a_turn_then_most_of_it_is_gone_from_what_the_network_sees(
    microphone, clean, model
):
    turn = slice(40, 340)
    before, after = (mfcc(s, model.mfcc_config)[turn] for s in (clean, through(clean, microphone)))
    reference = model.new_voice()

    def apart(one, other):
        """Root mean square, in standard deviations of what the network was trained on."""
        return np.sqrt(np.mean(np.square((one - other) / np.array(model.card.std))))

    as_heard, as_seen = apart(after, before), apart(reference.relative(after), reference.relative(before))
    assert as_heard > 0.3
    # The rest is what the log does not turn into a constant: slopes within a band, and the floor.
    assert as_seen < 0.55 * as_heard


@pytest.mark.parametrize("microphone", CURVES)
def test_answers_when_a_microphone_colours_turns_then_they_move_far_less_than_where_its_colour_is_left(
    microphone, model
):
    speech = read_file(DEMO_SPEECH)
    speech = (speech + 1e-3 * pink(speech.size, np.random.default_rng(0))).astype(np.float32)
    heard_so = [mfcc(s, model.mfcc_config) for s in (speech, through(speech, microphone))]
    n, features = len(heard_so[0]) // 300, heard_so[0].shape[1]
    even = dict.fromkeys(ReferencePrior.__struct_fields__, (1.0,) * features)
    certain = {"voice_variance": (1e9,) * features, "turn_variance": (1e-9,) * features}
    moved = []
    for before, after in zip(*(np.split(frames[: 300 * n], n) for frames in heard_so), strict=True):
        # Of a voice that is known through the other microphone, so the colour stays in.
        known = Voice(ReferencePrior(**{**even, **certain}))
        known.learn(before.mean(axis=0), None)
        plain, seen = model.probabilities(before), [model.probabilities(after, v) for v in (None, known)]
        moved.append([np.abs(one - plain).sum() / 2 for one in seen])
    taken_off, left = np.mean(moved, axis=0)

    assert n > 10
    assert taken_off < 0.75 * left


def test_conditions_when_listed_then_every_microphone_is_one_and_changes_the_sound(clean):
    named = {condition.microphone: condition for condition in CONDITIONS if condition.microphone}

    assert set(named) == set(CURVES)
    made = [heard(clean, "a clip", condition, clean) for condition in named.values()]
    assert all(not np.allclose(a, b, atol=1e-3) for a in made for b in (clean, *made) if a is not b)
