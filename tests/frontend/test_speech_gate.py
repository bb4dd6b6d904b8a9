import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from support.sound import DEMO_SPEECH

from edge.frontend.mfcc import StreamingMfcc
from edge.frontend.mfcc_config import MfccConfig
from edge.frontend.speech_gate import SpeechGate
from edge.frontend.vad import Detector, GateSettings
from edge.frontend.voice_net import SHIPPED_NET, RunningMean, VoiceNet, VoiceNetError, VoiceWeights

RATE = 16_000


@pytest.fixture(scope="module")
def speech():
    samples, rate = soundfile.read(DEMO_SPEECH, dtype="float32")
    assert rate == RATE
    return samples[: 6 * RATE]


def decide(blocks, detector=Detector.NETWORK, config=None):
    config = config or MfccConfig()
    gate, front_end = SpeechGate(GateSettings(detector=detector), config), StreamingMfcc(config)
    return [hop for block in blocks for hop in gate.push(block, front_end.push(block))]


@settings(max_examples=10)
@given(st.lists(st.integers(0, 6 * RATE), max_size=30))
def test_gate_when_the_sound_is_cut_anywhere_then_the_same_decisions(speech, cuts):
    assert decide(np.split(speech, sorted(cuts))) == decide([speech])


@pytest.mark.parametrize("detector", list(Detector))
def test_gate_when_somebody_speaks_then_most_of_it_is_speech_and_the_pause_is_not(speech, detector):
    flags = [
        hop.is_speech for hop in decide([np.concatenate([speech, np.zeros(2 * RATE, np.float32)])], detector)
    ]

    assert 0.4 < np.mean(flags[: 6 * 100]) < 1.0
    assert not any(flags[-100:])


def test_gate_when_a_steady_tone_then_not_a_voice():
    tone = 0.1 * np.sin(2 * np.pi * 440 * np.arange(10 * RATE) / RATE).astype(np.float32)

    assert np.mean([hop.is_speech for hop in decide([tone])[200:]]) < 0.02


def test_gate_when_a_hop_is_decided_then_its_level_floor_and_clipping_are_told(speech):
    loud = np.sign(speech) * np.float32(1.0)
    hops = decide([loud])

    assert max(hop.clipped for hop in hops) == 160
    assert all(hop.floor_db <= hop.level_db + 40 for hop in hops)


def test_gate_when_the_front_end_is_another_then_the_level_decides_and_it_says_so(speech, caplog):
    config = MfccConfig(n_mfcc=13)

    assert decide([speech], config=config) == decide([speech], Detector.ENERGY, config)
    assert "the voice network does not know: the level decides" in caplog.text


def test_gate_when_the_margin_is_raised_then_quiet_speech_is_left_out(speech):
    config = MfccConfig()
    gate, front_end = SpeechGate(GateSettings(), config), StreamingMfcc(config)
    noisy = speech + np.random.default_rng(0).normal(0, 3e-3, len(speech)).astype(np.float32)
    gate.set_margin(60.0)

    assert not any(hop.is_speech for hop in gate.push(noisy, front_end.push(noisy))[30:])


@pytest.mark.parametrize("threshold", [0.0, 1.0, -1.0, float("nan")])
def test_gate_settings_when_the_threshold_is_no_probability_then_refused(threshold):
    with pytest.raises(ValueError, match="threshold"):
        GateSettings(threshold=threshold)


@pytest.mark.parametrize("damage", ["missing", "empty", "truncated", "other"])
def test_voice_weights_when_the_file_is_no_good_then_error_names_the_way_out(tmp_path, damage):
    path = tmp_path / "voice.npz"
    if damage == "empty":
        path.write_bytes(b"")
    elif damage == "truncated":
        path.write_bytes(SHIPPED_NET.read_bytes()[:3_000])
    elif damage == "other":
        np.savez(path, mean=np.zeros(3))
    with pytest.raises(VoiceNetError, match=r'gate.detector = "energy"') as caught:
        VoiceWeights.load(path)
    assert caught.value.exit_code == 65


def test_voice_weights_when_saved_then_the_same_and_small(tmp_path):
    weights = VoiceWeights.load()
    weights.save(tmp_path / "copy.npz")
    copy = VoiceWeights.load(tmp_path / "copy.npz")

    np.testing.assert_array_equal(copy.kernel, weights.kernel)
    assert copy.kernel.dtype == np.int8
    assert SHIPPED_NET.stat().st_size < 20_000


def test_voice_net_when_its_weights_are_rounded_then_close_to_the_exact():
    rng = np.random.default_rng(2)
    shapes = {"mean": 40, "std": 40, "kernel": (40, 12), "recurrent": (4, 12), "bias": 12, "out": 4}
    exact = {name: rng.normal(0, 0.5, shape) for name, shape in shapes.items()}
    exact["std"] = np.abs(exact["std"]) + 0.5
    weights = VoiceWeights.rounded(**exact, out_bias=0.1)
    steps = rng.normal(0, 1, (50, 40)).astype(np.float32)
    net = VoiceNet(weights)
    got = [net.step(step) for step in net.project(steps)]

    state, expected = np.zeros(4), []
    for step in (steps - exact["mean"]) / exact["std"]:
        x = step @ exact["kernel"] + exact["bias"]
        gates = 1 / (1 + np.exp(-(x[:8] + state @ exact["recurrent"][:, :8])))
        update, reset = gates[:4], gates[4:]
        candidate = np.tanh(x[8:] + (reset * state) @ exact["recurrent"][:, 8:])
        state = update * state + (1 - update) * candidate
        expected.append(1 / (1 + np.exp(-(state @ exact["out"] + 0.1))))
    np.testing.assert_allclose(got, expected, atol=0.03)


def test_running_mean_when_a_gain_is_constant_then_it_does_not_show():
    steps = np.random.default_rng(3).normal(0, 5, (300, 40)).astype(np.float32)

    np.testing.assert_allclose(RunningMean().push(steps + 30), RunningMean().push(steps), atol=1e-3)
