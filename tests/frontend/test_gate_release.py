"""Where speech begins and ends by the network's answers: it takes more to begin than to go on."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.frontend import speech_gate
from edge.frontend.mfcc import StreamingMfcc
from edge.frontend.mfcc_config import MfccConfig
from edge.frontend.silero import CHUNK
from edge.frontend.vad import GateSettings

CONFIG = MfccConfig()
SHARES = {"n": 0.65, "t": 0.75, "s": 1.05}
"""Of the threshold, that the network answers: no speech, a voice that trails off, surely speech"""

CHUNKS = 90
"""So few, under three seconds, that neither the floor nor the foreground forgets what the sound began with"""

# Ever louder, so that the level alone would call all of it speech.
TIME = np.arange(CHUNKS * CHUNK) / CONFIG.sample_rate
SWELLING = (np.sin(2 * np.pi * 440 * TIME) * 10 ** np.linspace(-2.5, -0.25, TIME.size)).astype(np.float32)
N_FRAMES = len(StreamingMfcc(CONFIG).push(SWELLING))


class ScriptedNetwork:
    """Answers in place of Silero's network, chunk by chunk."""

    def __init__(self, probabilities):
        self._left = iter(probabilities)

    def reset(self):
        pass

    def push(self, _chunk, _is_loud):
        return next(self._left)


@settings(max_examples=40)
@given(
    script=st.lists(st.sampled_from("nts"), min_size=CHUNKS, max_size=CHUNKS).map("".join),
    threshold=st.floats(0.05, 0.9),
)
def test_gate_when_the_network_is_sure_then_speech_until_it_falls_below_the_release(script, threshold):
    network = ScriptedNetwork(threshold * SHARES[answer] for answer in script)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(speech_gate, "SileroVad", lambda: network)
        gate = speech_gate.SpeechGate(GateSettings(threshold=threshold), CONFIG)
    hops = gate.push(SWELLING, N_FRAMES)

    spoken = {i for found in re.finditer("s[st]*", script) for i in range(*found.span())}
    middles = np.arange(len(hops)) * CONFIG.hop_length + CONFIG.hop_length // 2
    assert [hop.is_speech for hop in hops] == [middle // CHUNK in spoken for middle in middles]
