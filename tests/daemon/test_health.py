"""What the health report is made of."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.sound import DEMO_SPEECH

from edge.audio.files import read_file
from edge.audio.settings import AudioSettings
from edge.audio.supervisor import SupervisedSource
from edge.health import HealthReporter, LevelMeter, TimedModel, _percentile, read_board
from edge.inference.recognizer import FirstImpression, Recognizer, TurnResult
from edge.inference.voice import Voice
from edge.mqtt.client import Publisher
from edge.mqtt.messages import Microphone
from edge.mqtt.settings import MqttSettings
from edge.voice.enrolment import Enrolment


@pytest.mark.parametrize(
    ("temperature", "throttled", "expected"),
    [
        ("51234\n", "0\n", (51.234, False)),
        ("-4000\n", "50000\n", (-4.0, False)),
        ("80000\n", "50005\n", (80.0, True)),
        (None, None, (None, None)),
        ("", "?", (None, None)),
    ],
)
def test_board_when_read_then_says_what_it_knows(
    tmp_path: Path, temperature: str | None, throttled: str | None, expected: object
) -> None:
    files = {
        "class/thermal/thermal_zone0/temp": temperature,
        "devices/platform/soc/soc:firmware/get_throttled": throttled,
    }
    for name, content in files.items():
        if content is not None:
            (tmp_path / name).parent.mkdir(parents=True)
            (tmp_path / name).write_text(content)
    assert read_board(tmp_path) == expected


def test_board_when_its_firmware_has_an_address_then_it_says_whether_it_is_throttled(tmp_path: Path) -> None:
    folder = tmp_path / "devices/platform/soc@107c000000/soc@107c000000:firmware"
    folder.mkdir(parents=True)
    (folder / "get_throttled").write_text("50005\n")
    assert read_board(tmp_path) == (None, True)


def test_level_when_read_then_is_the_mean_power_since_the_last_reading() -> None:
    meter = LevelMeter()
    assert meter.read_dbfs() is None
    meter.hear(np.full(1000, 0.1, np.float32))
    meter.hear(np.full(1000, -0.1, np.float32))
    assert not meter.is_silent
    assert meter.read_dbfs() == pytest.approx(-20.0, abs=0.01)
    assert meter.read_dbfs() is None
    meter.hear(np.zeros(10, np.float32))
    assert meter.read_dbfs() == -120.0


@given(st.lists(st.floats(0, 1e6), min_size=1), st.sampled_from([0.5, 0.95]))
def test_percentile_when_taken_then_is_the_smallest_that_the_share_does_not_exceed(
    values: list[float], share: float
) -> None:
    value = _percentile(sorted(values), share)
    assert value == np.percentile(values, 100 * share, method="inverted_cdf")
    assert _percentile([], share) is None


def test_timed_model_when_it_answers_then_remembers_how_long_it_took() -> None:
    model = TimedModel()
    frames = np.zeros((100, model.mfcc_config.n_features), np.float32)
    assert math.isclose(sum(model.answer(frames).probabilities.values()), 1.0, abs_tol=1e-6)
    assert len(model.took_ms) == 1
    assert model.took_ms[0] > 0.0


def test_timed_model_when_it_makes_first_guesses_then_only_turns_count() -> None:
    model = TimedModel()
    events = Recognizer(model).push(read_file(DEMO_SPEECH))
    assert any(isinstance(event, FirstImpression) for event in events)
    assert len(model.took_ms) == sum(isinstance(event, TurnResult) for event in events) > 0


@dataclass
class Hearing:
    """A recognition that stands still."""

    model: TimedModel = field(default_factory=TimedModel)
    meter: LevelMeter = field(default_factory=LevelMeter)
    sensitivity_db: float = 3.0
    microphone: Microphone = Microphone.OK
    enrolment: Enrolment | None = None

    @property
    def voice(self) -> Voice:
        return self.model.new_voice()


@pytest.mark.parametrize(
    ("sound", "microphone"),
    [(np.full(1000, 0.1, np.float32), Microphone.OK), (np.zeros(1000, np.float32), Microphone.ZEROS)],
)
def test_report_when_measured_then_says_what_the_recognition_knows_and_digital_silence_is_zeros(
    sound: np.ndarray, microphone: Microphone
) -> None:
    hearing = Hearing()
    hearing.meter.hear(sound)
    hearing.model.took_ms.extend([4.0, 2.0, 3.0])
    reporter = HealthReporter(
        Publisher(MqttSettings(host="127.0.0.1", port=1)), SupervisedSource(AudioSettings()), hearing
    )
    report = reporter.measure()

    assert report.microphone is microphone
    assert (report.inference_p50_ms, report.inference_p95_ms) == (3.0, 4.0)
    assert (report.sensitivity_db, report.voice_turns, report.voice_enrolled) == (3.0, 0, None)
    assert reporter.measure().level_dbfs is None
