"""Published layouts with a short tone in each file, and the place of the real corpora."""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

import edge


@pytest.fixture
def lay_out(tmp_path):
    """Writes a short tone to each of these paths below a folder, and gives the folder."""

    def write(*paths):
        tone = 0.3 * np.sin(2 * np.pi * 200 * np.arange(8_000) / 16_000)
        for path in paths:
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(tmp_path / path, tone, 16_000)
        return tmp_path

    return write


@pytest.fixture(scope="session")
def corpora():
    place = Path(os.environ.get("AFFECTD_CORPORA") or Path(edge.__file__).parents[2] / "shared" / "corpora")
    if not (place / "manifest.csv").is_file():
        pytest.skip(f"no labelled corpora at {place}; name their folder in AFFECTD_CORPORA")
    return place
