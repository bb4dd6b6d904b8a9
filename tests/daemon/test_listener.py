"""The recognition thread over a real pipe."""

import queue

import numpy as np
import pytest
from support.sound import DEMO_SPEECH

from edge.audio.files import read_file
from edge.audio.settings import AudioSettings, SourceKind
from edge.audio.supervisor import SupervisedSource
from edge.config import Config
from edge.health import TimedModel
from edge.inference.model import ModelSettings
from edge.listener import Listener
from edge.mqtt.client import Publisher
from edge.mqtt.settings import MqttSettings

RATE, BLOCK = 16_000, 1024


class Overheard:
    """The blocks as they were recognised, and whether each was within a turn when it came."""

    def __init__(self, source):
        self._source = source
        self.blocks = []
        self.in_turn = []
        self._unhurried = False

    def hear(self, block):
        self.blocks.append(block)
        self.in_turn.append(not self._unhurried)
        self._unhurried = self._source.unhurried

    def break_off(self, why):
        pass


@pytest.fixture
def speech(tmp_path):
    """A few seconds of speech in quiet, as bytes in a file, and its samples."""
    samples = np.concatenate([np.zeros(RATE), read_file(DEMO_SPEECH)[: 6 * RATE], np.zeros(2 * RATE)])
    pcm = np.round(32_767 * samples + np.random.default_rng(1).uniform(-3, 3, samples.size)).astype("<i2")
    path = tmp_path / "speech.raw"
    path.write_bytes(pcm.tobytes())
    return path, pcm.astype(np.float32) / 32_768


def test_listener_when_nobody_speaks_then_takes_longer_blocks_and_in_a_turn_none(speech):
    path, samples = speech
    settings = AudioSettings(source=SourceKind.COMMAND, command=["cat", str(path)])
    source = SupervisedSource(settings)
    publisher = Publisher(MqttSettings(device="pi"))
    listener = Listener(Config(), TimedModel(ModelSettings()), source, publisher, queue.SimpleQueue())
    listener.overhearing = overheard = Overheard(source)
    listener.run()

    assert listener.exit_code == 0
    np.testing.assert_array_equal(np.concatenate(overheard.blocks), samples)
    lengths = np.array([len(block) for block in overheard.blocks])
    in_turn = np.array(overheard.in_turn)
    assert in_turn.sum() > RATE / BLOCK
    assert lengths[in_turn].max() == BLOCK
    assert lengths[~in_turn].max() > BLOCK
