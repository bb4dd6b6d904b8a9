"""The C header: compiled as C99 with every warning on, and used as a microcontroller would."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest
from support.programs import environment

from converter.c_array import CArrayError, write_c_array
from edge.audio.files import read_file
from edge.frontend.mfcc import MfccConfig, mfcc
from edge.inference.card import describe_frontend
from edge.inference.leaning import Leaning, answer_of, upright
from edge.inference.model import SHIPPED_MODEL, EmotionModel
from edge.inference.model_file import pack_model, read_model_file
from edge.inference.runtime import Runtime, build_interpreter

HERE = Path(__file__).parent
SPEECH = Path(sys.modules[EmotionModel.__module__].__file__ or "").parents[1] / "demo_speech.ogg"

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")


def compiled(model: Path, folder: Path) -> Path:
    """A program that uses the header of a model."""
    write_c_array(model, folder / "model.h")
    program = folder / "use_header"
    subprocess.run(
        ["gcc", "-std=c99", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I", folder,
         HERE / "use_header.c", "-o", program, "-lm"],
        check=True, timeout=120,
    )  # fmt: skip
    return program


def frames_of(program: Path, samples: np.ndarray) -> np.ndarray:
    sound = samples.astype("<f4").tobytes()
    done = subprocess.run([program, "frames"], input=sound, capture_output=True, check=True, timeout=120)
    return np.array([line.split() for line in done.stdout.splitlines()], float)


def with_frontend(config: MfccConfig, path: Path, **changes: object) -> Path:
    """The shipped model, whose card says that it wants another front end."""
    card, flatbuffer = read_model_file(SHIPPED_MODEL)
    columns = tuple(np.linspace(0.5, 2.5, config.n_features).tolist())
    reference = type(card.reference)(**dict.fromkeys(card.reference.__struct_fields__, columns))
    path.write_bytes(
        pack_model(
            flatbuffer,
            msgspec.structs.replace(
                card,
                frontend=describe_frontend(config),
                mean=columns[::-1],
                std=columns,
                reference=reference,
                **changes,
            ),
        )
    )
    return path


@pytest.fixture(scope="module")
def program(tmp_path_factory) -> Path:
    return compiled(SHIPPED_MODEL, tmp_path_factory.mktemp("header"))


@pytest.fixture(scope="module")
def pitch_model(tmp_path_factory) -> Path:
    return with_frontend(MfccConfig(pitch=True), tmp_path_factory.mktemp("pitch") / "model.tflite")


@pytest.fixture(scope="module")
def pitch_program(pitch_model) -> Path:
    return compiled(pitch_model, pitch_model.parent)


def test_header_when_compiled_then_its_tables_give_the_frames_of_the_front_end(program) -> None:
    speech, config = read_file(SPEECH)[: 5 * 16_000], read_model_file(SHIPPED_MODEL)[0].mfcc_config
    # The tables are float32 and the front end float64: seven digits.
    np.testing.assert_allclose(frames_of(program, speech), mfcc(speech, config), rtol=1e-4, atol=1e-4)


def test_header_when_the_model_asks_for_pitch_then_its_tables_give_pitch_and_voicing_too(
    pitch_program,
) -> None:
    speech = read_file(SPEECH)
    expected = mfcc(speech, MfccConfig(pitch=True))
    made = frames_of(pitch_program, speech)
    assert made.shape == (len(expected), 42)
    np.testing.assert_allclose(made[:, :40], expected[:, :40], rtol=1e-4, atol=1e-4)
    # One frame that chose another peak, and the contour is elsewhere for all that follow.
    np.testing.assert_allclose(made[:, 40:], expected[:, 40:], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("samples", [np.zeros(400), np.ones(400), np.eye(1, 400)[0], -np.eye(1, 400, 200)[0]])
def test_header_when_the_sound_is_silence_or_a_click_then_the_frame_is_the_same(
    pitch_program, samples
) -> None:
    expected = mfcc(samples.astype(np.float32), MfccConfig(pitch=True))
    np.testing.assert_allclose(frames_of(pitch_program, samples), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "config",
    [
        MfccConfig(preemphasis=0.97, n_mfcc=13, lifter=22, window="hamming"),
        MfccConfig(spectrum="magnitude", log="decibel", mel_scale="slaney", mel_area_norm=True, n_mels=64),
        MfccConfig(spectrum="periodogram", mel_shape="bin", n_mels=26, n_mfcc=20, log_offset=1e-6, n_fft=400),
        MfccConfig(frame_length=1024, hop_length=256, n_fft=1024, lead=512, preemphasis=0.9, pitch=True),
    ],
    ids=["lifter", "decibel", "periodogram", "longer than the pitch's window"],
)
def test_header_when_the_front_end_is_another_then_its_tables_say_so(config, tmp_path) -> None:
    program = compiled(with_frontend(config, tmp_path / "model.tflite"), tmp_path)
    samples = read_file(SPEECH)[12_000:20_000]
    np.testing.assert_allclose(frames_of(program, samples), mfcc(samples, config), rtol=1e-4, atol=1e-3)


def test_header_when_compiled_then_the_model_is_in_it_byte_by_byte(program) -> None:
    done = subprocess.run([program, "model"], capture_output=True, check=True, timeout=60)
    assert done.stdout == read_model_file(SHIPPED_MODEL)[1]


@pytest.mark.parametrize("pitch", [False, True], ids=["shipped", "pitch"])
def test_header_when_compiled_then_it_says_what_the_card_says(
    pitch, program, pitch_model, pitch_program
) -> None:
    card, flatbuffer = read_model_file(pitch_model if pitch else SHIPPED_MODEL)
    program = pitch_program if pitch else program
    said = subprocess.run([program, "card"], capture_output=True, text=True, check=True, timeout=60).stdout
    lines = said.splitlines()
    interpreter, _ = build_interpreter(flatbuffer, Runtime.AUTO, 1)
    given = interpreter.get_input_details()[0]["quantization"]
    taken = interpreter.get_output_details()[0]["quantization"]
    n = len(card.labels)

    assert [float(word) for word in lines[0].split()] == pytest.approx(
        [16_000, 160, 0, card.temperature, card.uncertain_below]
    )
    assert [float(word) for word in lines[1].split()] == pytest.approx([card.n_frames, *given, *taken])
    assert [line.split("\t")[0] for line in lines[2 : 2 + n]] == list(card.labels)
    assert [float(word) for word in lines[2].split("\t")[1].split()] == pytest.approx(
        card.circumplex[card.labels[0]]
    )
    columns = [card.mean, card.std, card.reference.voice_variance, card.reference.turn_variance]
    numbers = np.array([line.split() for line in lines[2 + n :]], float)
    np.testing.assert_allclose(numbers, np.stack(columns, 1), rtol=1e-6)


def test_header_when_a_label_needs_care_then_it_is_the_same_in_c(tmp_path) -> None:
    card, flatbuffer = read_model_file(SHIPPED_MODEL)
    labels = ('"quoted"', "back\\slash", "??/", "müde7", "tab\t", "*/", "sad")
    places = dict(zip(labels, card.circumplex.values(), strict=True))
    path = tmp_path / "model.tflite"
    changed = msgspec.structs.replace(
        card, labels=labels, circumplex=places, name="*/ int x;", licence="CC */\nBY"
    )
    path.write_bytes(pack_model(flatbuffer, changed))
    said = subprocess.run([compiled(path, tmp_path), "card"], capture_output=True, check=True, timeout=60)
    assert all(f"{label}\t".encode() in said.stdout for label in labels)


def test_header_when_the_front_end_has_deltas_then_is_refused(tmp_path) -> None:
    path = with_frontend(MfccConfig(n_mfcc=20, delta_orders=1), tmp_path / "model.tflite")
    with pytest.raises(CArrayError, match="deltas"):
        write_c_array(path, tmp_path / "model.h")
    assert not (tmp_path / "model.h").exists()


def test_command_when_given_a_model_file_then_writes_the_header_without_tensorflow(tmp_path) -> None:
    (tmp_path / "tensorflow.py").write_text("raise SystemExit(99)")
    (tmp_path / "keras.py").write_text("raise SystemExit(99)")

    def convert(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "converter.cli", *map(str, arguments)],
            capture_output=True, text=True, timeout=60, check=False,
            env=environment({"PYTHONPATH": str(tmp_path)}),
        )  # fmt: skip

    done = convert(SHIPPED_MODEL, "--c-array", tmp_path / "model.h")
    assert (done.returncode, done.stderr) == (0, "")
    assert "of C99" in done.stdout
    assert convert(SHIPPED_MODEL, "--c-array", tmp_path / "none" / "model.h").returncode == 74
    (tmp_path / "bad.tflite").write_bytes(b"no model")
    assert convert(tmp_path / "bad.tflite", "--c-array", tmp_path / "model.h").returncode == 65


def test_model_when_run_by_tflite_micro_then_it_answers_as_on_the_device(program) -> None:
    micro = pytest.importorskip("tflite_micro", reason="tflite-micro is not installed").runtime
    flatbuffer = subprocess.run([program, "model"], capture_output=True, check=True, timeout=60).stdout
    interpreter = micro.Interpreter.from_bytes(flatbuffer)
    given, taken = interpreter.get_input_details(0), interpreter.get_output_details(0)
    in_scale, in_zero = (given["quantization_parameters"][key][0] for key in ("scales", "zero_points"))
    scale, zero = (taken["quantization_parameters"][key][0] for key in ("scales", "zero_points"))
    model = EmotionModel()
    for window in model.windows(mfcc(read_file(SPEECH), model.mfcc_config))[:8]:
        quantised = np.clip(np.rint(window / in_scale) + in_zero, -128, 127).astype(np.int8)
        interpreter.set_input(quantised.reshape(given["shape"]), 0)
        interpreter.invoke()
        logits = (interpreter.get_output(0).ravel().astype(np.float32) - zero) * scale
        # Kernels round differently: two steps of the output at most.
        np.testing.assert_allclose(logits, model.logits(window), atol=2.01 * scale)


def test_header_when_a_voice_leans_then_it_is_taken_off_as_on_the_device(program) -> None:
    card = EmotionModel().card
    assert card.leaning is not None
    rng = np.random.default_rng(3)
    turns = rng.dirichlet(np.ones(len(card.labels)), size=4)
    turns[0] = np.eye(len(card.labels))[0]
    leaning = Leaning(card.leaning)
    for turn in turns[1:]:
        leaning.learn(answer_of(turn))
    said = np.mean([answer_of(turn) for turn in turns[1:]], axis=0)
    lines = "\n".join(f"{p:.12g} {a:.12g}" for p, a in zip(turns[0], said, strict=True))
    done = subprocess.run(
        [program, "upright"], input=f"3\n{lines}\n".encode(), capture_output=True, check=True, timeout=60
    )

    left = [float(line) for line in done.stdout.split()]
    np.testing.assert_allclose(left, upright(turns[0], leaning.estimate()), rtol=1e-5)


def test_header_when_the_card_says_nothing_of_leanings_then_nor_does_it(tmp_path) -> None:
    write_c_array(
        with_frontend(MfccConfig(pitch=True), tmp_path / "m.tflite", leaning=None), tmp_path / "m.h"
    )

    text = (tmp_path / "m.h").read_text(encoding="ascii")
    assert "voice's leaning" not in text
    assert "AFFECTD_LEANING" not in text
