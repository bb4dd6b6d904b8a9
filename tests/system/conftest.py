"""What the system tests hear: bundled speech, and the labelled corpora where they are."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.mosquitto_sub import MosquittoSub
from support.sound import DEMO_SPEECH, corpora_folder, pcm, silence

from edge.audio.files import read_file
from edge.inference.model import EmotionModel

CLIPS = 5


@pytest.fixture(scope="session")
def model() -> EmotionModel:
    return EmotionModel()


@pytest.fixture(scope="session")
def speech() -> bytes:
    """Eight utterances as s16le, with a pause behind the last."""
    return pcm(read_file(DEMO_SPEECH)) + silence(1.0)


@pytest.fixture(scope="session")
def ravdess() -> list[Path]:
    """Clips of several speakers and emotions."""
    manifest = corpora_folder() / "manifest.csv"
    if not manifest.is_file():
        pytest.skip(f"no corpora: {manifest} does not exist; set AFFECTD_CORPORA")
    with manifest.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["corpus"] == "ravdess"]
    step = len(rows) // CLIPS + 1
    return [manifest.parent / row["path"] for row in rows[::step]]


@pytest.fixture
def subscriber(mosquitto, device) -> Iterator[MosquittoSub]:
    with MosquittoSub(mosquitto.port, device) as listening:
        yield listening


@pytest.fixture
def to_broker(mosquitto, device) -> list[str]:
    """The options of `affectd run` with which it publishes to where `subscriber` listens."""
    return ["--no-config", "--host", "127.0.0.1", "--port", str(mosquitto.port), "--device-id", device]
