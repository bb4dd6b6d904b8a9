"""The enrolled voice on disk, and whether a model can use it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import msgspec
import numpy as np
import pytest

from edge.frontend.mfcc_config import MfccConfig
from edge.inference.leaning import LeaningPrior
from edge.inference.model import EmotionModel
from edge.inference.reference import ReferencePrior
from edge.inference.voice import Voice
from edge.voice.enrolment import Enrolment, MeanAnswer, frontend_of
from edge.voice.errors import EnrolmentFileError
from edge.voice.file import VoiceFile

CONFIG = MfccConfig()
CARD = EmotionModel().card
ENROLMENT = Enrolment(
    at="2026-01-02T03:04:05.678Z",
    turns=4,
    speech_s=10.5,
    frontend=frontend_of(CONFIG),
    mean=tuple(float(i) for i in range(CONFIG.n_features)),
    answered=MeanAnswer(model_sha256=CARD.flatbuffer_sha256, answer=(0.5,) * len(CARD.labels)),
)


def test_voice_file_when_written_then_is_read_again_by_its_device_alone_and_by_nobody_else(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "state"
    file = VoiceFile(folder, "pi")
    assert file.read() is None
    file.write(ENROLMENT)
    assert VoiceFile(folder, "pi").read() == ENROLMENT
    assert VoiceFile(folder, "other").read() is None
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_voice_file_when_root_writes_it_for_the_service_then_the_service_owns_it(tmp_path: Path) -> None:
    os.chown(tmp_path, 12_345, 12_346)
    file = VoiceFile(tmp_path, "pi")
    file.write(ENROLMENT)
    assert (file.path.stat().st_uid, file.path.stat().st_gid) == (12_345, 12_346)


def test_voice_file_when_forgotten_then_nothing_of_it_is_left(tmp_path: Path) -> None:
    file = VoiceFile(tmp_path, "pi")
    file.write(ENROLMENT)
    (tmp_path / "voice-pi.new").write_bytes(b"half a voice")
    assert file.forget()
    assert not list(tmp_path.iterdir())
    assert not file.forget()


def test_voice_file_when_it_holds_a_voice_then_is_numbers_and_no_sound(tmp_path: Path) -> None:
    file = VoiceFile(tmp_path, "pi")
    file.write(ENROLMENT)
    assert file.path.stat().st_size < 2000
    kept = msgspec.json.decode(file.path.read_bytes())
    assert set(kept) == {"version", "at", "turns", "speech_s", "frontend", "mean", "answered"}
    assert len(kept["mean"]) == CONFIG.n_features


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 5000, b'{"version": 1}', b'{"turns": 0}'])
def test_voice_file_when_damaged_then_is_passed_over_and_said(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    file = VoiceFile(tmp_path, "pi")
    file.path.write_bytes(content)
    assert file.read() is None
    assert str(file.path) in caplog.text


def test_voice_file_when_it_cannot_be_written_or_removed_then_says_so(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    with pytest.raises(EnrolmentFileError, match="cannot be written"):
        VoiceFile(tmp_path / "state", "pi").write(ENROLMENT)
    (tmp_path / "voice-pi.json").mkdir()
    with pytest.raises(EnrolmentFileError, match="cannot be removed"):
        VoiceFile(tmp_path, "pi").forget()


def test_enrolment_when_the_front_end_is_another_then_does_not_fit_and_says_what_to_do() -> None:
    assert ENROLMENT.misfit(CONFIG) is None
    misfit = ENROLMENT.misfit(MfccConfig(n_mfcc=13))
    assert misfit is not None
    assert "a different front end" in misfit
    assert "affectd enrol --forget" in misfit
    assert msgspec.structs.replace(ENROLMENT, version=2).misfit(CONFIG)
    assert msgspec.structs.replace(ENROLMENT, mean=(1.0,)).misfit(CONFIG)


def unheard_voice() -> Voice:
    even = dict.fromkeys(ReferencePrior.__struct_fields__, (1.0,) * CONFIG.n_features)
    plain = (0.0,) * len(CARD.labels)
    spread = {name: 1.0 for name in LeaningPrior.__struct_fields__ if name not in ("usual", "neutral")}
    return Voice(ReferencePrior(**even), LeaningPrior(usual=plain, neutral=plain, **spread))


def test_enrolment_when_taught_then_stands_for_its_stretches_and_the_turns_heard_are_forgotten() -> None:
    taught, by_turns = unheard_voice(), unheard_voice()
    taught.learn(np.full(CONFIG.n_features, 7.0), np.arange(len(CARD.labels)))
    ENROLMENT.teach(taught, CARD)
    assert ENROLMENT.answered is not None
    mean, answer = np.array(ENROLMENT.mean), np.array(ENROLMENT.answered.answer)
    by_turns.enrol([mean] * ENROLMENT.turns, [answer] * ENROLMENT.turns)
    turn = np.ones((3, CONFIG.n_features), np.float32)
    assert taught.turns == 0
    np.testing.assert_allclose(taught.relative(turn), by_turns.relative(turn))
    np.testing.assert_allclose(taught.leaning, by_turns.leaning)
    assert taught.strength == by_turns.strength > 0.0
    assert np.abs(taught.leaning).min() > 0.0


@pytest.mark.parametrize(
    "answered", [None, MeanAnswer(model_sha256="0" * 64, answer=(0.5,) * len(CARD.labels))]
)
def test_enrolment_when_another_model_answered_then_only_the_sound_of_the_voice_is_known(
    answered: MeanAnswer | None,
) -> None:
    taught = unheard_voice()
    msgspec.structs.replace(ENROLMENT, answered=answered).teach(taught, CARD)
    assert taught.strength > 0.0
    assert not np.any(taught.leaning)


def test_enrolment_when_kept_before_answers_were_then_is_read(tmp_path: Path) -> None:
    file = VoiceFile(tmp_path, "pi")
    kept = msgspec.to_builtins(ENROLMENT)
    del kept["answered"]
    file.path.write_bytes(msgspec.json.encode(kept))
    assert file.read() == msgspec.structs.replace(ENROLMENT, answered=None)
