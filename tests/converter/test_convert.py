import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest

import converter
from converter.cli import main
from converter.convert import RunFolderError, convert
from converter.parity import compare
from edge.inference.card import decode_card
from edge.inference.model import EmotionModel, ModelSettings, softmax
from edge.inference.model_file import read_model_file

pytestmark = pytest.mark.training


@pytest.fixture
def copy_of(run, tmp_path):
    """A copy of the run folder, to be damaged."""
    return Path(shutil.copytree(run, tmp_path / "copy"))


def clips_of(run):
    with np.load(run / "comparison.npz") as kept:
        frames = np.split(kept["frames"], np.cumsum(kept["lengths"])[:-1])
        return list(zip(kept["clips"].tolist(), frames, kept["truth"].tolist(), strict=True))


def test_convert_when_done_then_the_device_reads_the_card_of_the_run(run, converted):
    path, made = converted
    card, _ = read_model_file(path)

    assert msgspec.structs.replace(card, flatbuffer_sha256="") == decode_card(
        (run / "card.json").read_bytes()
    )
    assert made.file_bytes == path.stat().st_size <= 500_000
    with np.load(run / "calibration.npz") as kept:
        assert made.calibration_windows == 0.8 * len(kept["windows"]) > 60
    assert {p.name for p in path.parent.iterdir()} == {"model.tflite"}


def test_convert_when_done_again_then_the_same_bytes(run, converted, tmp_path):
    convert(run, tmp_path / "again.tflite")

    assert (tmp_path / "again.tflite").read_bytes() == converted[0].read_bytes()


def test_convert_when_done_in_another_process_then_the_same_bytes(run, converted, tmp_path):
    done = command(run, "--output", tmp_path / "model.tflite")

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "model.tflite").read_bytes() == converted[0].read_bytes()
    report = msgspec.json.decode((tmp_path / "model.parity.json").read_bytes())
    here = msgspec.to_builtins(converted[1])
    # The float network adds up in another order here: equal but for the last digits.
    assert report["parity"].pop("mean_difference") == pytest.approx(
        here["parity"].pop("mean_difference"), abs=2e-4
    )
    worst = [{w["clip"] for w in side["parity"].pop("worst")} for side in (report, here)]
    assert worst[0] == worst[1]
    assert report == here
    assert "operators, all integer: " in done.stdout
    assert "float and int8 agree on" in done.stdout
    assert "oneDNN" not in done.stderr


def test_parity_when_reported_then_the_numbers_are_those_of_both_networks(run, network, converted):
    path, made = converted
    model = EmotionModel(ModelSettings(path=str(path)))
    clips = clips_of(run)
    in_float = np.array(
        [
            softmax(np.asarray(network(model.windows(frames), training=False)) / 1.5).mean(axis=0)
            for _, frames, _ in clips
        ]
    )
    in_int8 = np.array([list(model.answer(frames).probabilities.values()) for _, frames, _ in clips])
    truth = np.array([label for _, _, label in clips])
    difference = np.abs(in_float - in_int8).max(axis=1)
    parity = made.parity

    assert parity.clips == 30
    assert parity.runtime == str(model.runtime)
    same = in_float.argmax(axis=1) == in_int8.argmax(axis=1)
    assert parity.agreement == round(same.mean(), 4) >= 0.9
    for reported, answers in ((parity.uar_float, in_float), (parity.uar_int8, in_int8)):
        recalls = [(answers[truth == label].argmax(axis=1) == label).mean() for label in range(3)]
        assert reported == round(np.mean(recalls), 4) > 0.6
    assert parity.mean_difference == round(difference.mean(), 4) < 0.1
    worst = np.argsort(difference)[::-1][:5]
    assert [w.clip for w in parity.worst] == [clips[i][0] for i in worst]
    assert [w.difference for w in parity.worst] == [round(difference[i], 4) for i in worst]


def test_parity_when_the_float_network_is_another_then_it_shows(run, network, converted):
    model = EmotionModel(ModelSettings(path=str(converted[0])))

    class Turned:
        """The network with its labels in another order."""

        def __call__(self, windows, training):
            return np.roll(np.asarray(network(windows, training=training)), 1, axis=1)

    report = compare(Turned(), model, clips_of(run))

    assert report.agreement < 0.6
    assert report.worst[0].difference > 0.3
    assert report.worst[0].float_answer != report.worst[0].int8_answer


@pytest.mark.parametrize(
    "missing", ["run.json", "network.keras", "card.json", "calibration.npz", "comparison.npz"]
)
def test_convert_when_the_run_is_unfinished_then_it_says_what_is_missing(copy_of, missing, tmp_path):
    (copy_of / missing).unlink()
    with pytest.raises(RunFolderError, match=f"no {missing}; name the folder of a finished"):
        convert(copy_of, tmp_path / "model.tflite")
    assert not (tmp_path / "model.tflite").exists()


@pytest.mark.parametrize("damaged", ["network.keras", "card.json", "calibration.npz", "comparison.npz"])
@pytest.mark.parametrize("keep", [0.0, 0.6])
def test_convert_when_a_file_of_the_run_is_damaged_then_one_clear_error(copy_of, damaged, keep, tmp_path):
    whole = (copy_of / damaged).read_bytes()
    (copy_of / damaged).write_bytes(whole[: int(keep * len(whole))])
    with pytest.raises(RunFolderError, match="is damaged") as caught:
        convert(copy_of, tmp_path / "model.tflite")
    assert "File not found" not in str(caught.value)


def note(run, held_out):
    """Note whose clips it is compared on; None as in runs that were kept before this was noted."""
    with np.load(run / "comparison.npz") as kept:
        content = {name: kept[name] for name in kept if name != "held_out"}
    if held_out is not None:
        content["held_out"] = held_out
    np.savez_compressed(run / "comparison.npz", **content)


@pytest.mark.parametrize("noted", [True, False])
@pytest.mark.parametrize("held_out", [True, False])
def test_convert_command_when_clips_were_trained_on_then_no_uar_of_them_is_told(
    copy_of, tmp_path, capsys, noted, held_out
):
    note(copy_of, held_out if noted else None)
    if not noted:
        people = ["s1"] if held_out else []
        (copy_of / "run.json").write_bytes(msgspec.json.encode({"validation_speakers": people}))

    assert main([str(copy_of), "--output", str(tmp_path / "model.tflite")]) == 0
    said = capsys.readouterr().out
    report = msgspec.json.decode((tmp_path / "model.parity.json").read_bytes())

    assert report["parity"]["held_out"] is held_out
    assert ("UAR" in said) is held_out
    assert ("of 30 validation clips" in said) is held_out
    assert ("training clips: only the agreement counts" in said) is not held_out


def test_convert_when_an_old_run_does_not_say_who_validated_then_one_clear_error(copy_of, tmp_path):
    note(copy_of, None)
    with pytest.raises(RunFolderError, match=r"run\.json: is damaged .*validation_speakers.*train it again"):
        convert(copy_of, tmp_path / "model.tflite")


def test_convert_when_the_card_does_not_suit_the_network_then_no_file_is_left(copy_of, tmp_path, capsys):
    card = decode_card((copy_of / "card.json").read_bytes())
    wrong = msgspec.structs.replace(card, n_frames=96)
    (copy_of / "card.json").write_bytes(msgspec.json.encode(wrong))
    (tmp_path / "model.tflite").write_bytes(b"what was there before")

    assert main([str(copy_of), "--output", str(tmp_path / "model.tflite")]) == 65
    assert "but the card says int8" in last_line(capsys)
    assert (tmp_path / "model.tflite").read_bytes() == b"what was there before"
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["model.tflite"]


def last_line(capsys):
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("affectd-convert: ")
    return line


def test_convert_command_when_there_is_no_such_folder_then_one_line_and_66(tmp_path, capsys):
    assert main([str(tmp_path / "none")]) == 66
    assert "no such folder" in last_line(capsys)


def test_convert_command_when_a_model_file_is_given_then_it_says_what_it_is_for(converted, capsys):
    assert main([str(converted[0])]) == 65
    assert "model.tflite: is a file; name a run's folder, or add --c-array HEADER" in last_line(capsys)


def test_convert_command_when_the_run_is_unfinished_then_one_line_and_65(tmp_path, capsys):
    assert main([str(tmp_path)]) == 65
    assert "no run.json" in last_line(capsys)


def test_convert_command_when_the_output_cannot_be_written_then_one_line_and_74(run, tmp_path, capsys):
    (tmp_path / "file").touch()

    assert main([str(run), "--output", str(tmp_path / "file" / "model.tflite")]) == 74
    assert "--output" in last_line(capsys)


def test_convert_command_when_results_are_given_then_their_figures_are_in_the_card(run, tmp_path):
    figures = {"uar": 0.6, "wa": 0.61, "macro_f1": 0.59, "uar_ci95": [0.55, 0.65]}
    result = {"protocol": "P1", "form": "in", "int8": figures, "seeds": [0], "folds": [1, 2]}
    (tmp_path / "P1-in.json").write_bytes(msgspec.json.encode(result))
    convert(run, tmp_path / "model.tflite", results=tmp_path)
    card, _ = read_model_file(tmp_path / "model.tflite")

    assert card.metrics == {"P1-in": {**figures, "seeds": [0], "folds": [1, 2]}}
    with pytest.raises(RunFolderError, match="no result"):
        convert(run, tmp_path / "other.tflite", results=tmp_path / "nowhere")


BASELINE = {"protocol": "P1", "form": "in", "int8": None, "seeds": [0], "folds": [1]}


def test_convert_command_when_no_result_is_of_an_int8_file_then_one_line_and_65(run, tmp_path, capsys):
    (tmp_path / "P1-in-egemaps-svm.json").write_bytes(msgspec.json.encode(BASELINE))

    assert main([str(run), "-o", str(tmp_path / "model.tflite"), "--results", str(tmp_path)]) == 65
    assert f"{tmp_path}: no result with int8 figures in it" in last_line(capsys)


@pytest.mark.parametrize("text", ['{"protocol": "P1", "fo', "[]", '{"form": "in"}', ""])
def test_convert_command_when_a_result_is_damaged_then_one_line_and_65(run, tmp_path, capsys, text):
    (tmp_path / "P1-in.json").write_text(text)

    assert main([str(run), "-o", str(tmp_path / "model.tflite"), "--results", str(tmp_path)]) == 65
    assert f"{tmp_path / 'P1-in.json'}: is damaged" in last_line(capsys)


def test_convert_when_some_results_are_baselines_then_they_are_passed_over(run, tmp_path):
    (tmp_path / "P1-in-level-svm.json").write_bytes(msgspec.json.encode(BASELINE))
    (tmp_path / "P2-in.json").write_bytes(
        msgspec.json.encode({**BASELINE, "protocol": "P2", "int8": {"uar": 0.6}})
    )
    convert(run, tmp_path / "model.tflite", results=tmp_path)

    assert set(read_model_file(tmp_path / "model.tflite")[0].metrics) == {"P2-in"}


def test_convert_command_when_arguments_are_wrong_then_usage_and_64(capsys):
    with pytest.raises(SystemExit) as caught:
        main([])

    assert caught.value.code == 64
    last_line(capsys)


def command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "converter.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(converter.__file__).parents[1])},
    )
