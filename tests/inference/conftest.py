"""The shipped model, the bundled speech, and model files made of it."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
import soundfile

import edge
from edge.inference.model import SHIPPED_MODEL, EmotionModel
from edge.inference.model_file import pack_model, read_model_file


@pytest.fixture(scope="session")
def model():
    return EmotionModel()


@pytest.fixture(scope="session")
def packed():
    """Card and flatbuffer of the shipped model."""
    return read_model_file(SHIPPED_MODEL)


@pytest.fixture(scope="session")
def demo_speech():
    samples, rate = soundfile.read(Path(edge.__file__).parent / "demo_speech.ogg", dtype="float32")
    assert rate == 16_000
    return samples


@pytest.fixture(scope="session")
def noise():
    def make(seconds, db, seed=0):
        rng = np.random.default_rng(seed)
        return (10 ** (db / 20) * rng.standard_normal(round(seconds * 16_000))).astype(np.float32)

    return make


@pytest.fixture
def model_file(tmp_path, packed):
    """Writes a model file of the shipped flatbuffer, or another, with a changed card."""

    def write(flatbuffer=None, **changes):
        card, shipped = packed
        path = tmp_path / "model.tflite"
        path.write_bytes(
            pack_model(
                shipped if flatbuffer is None else flatbuffer, msgspec.structs.replace(card, **changes)
            )
        )
        return path

    return write
