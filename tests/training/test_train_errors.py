import os
import subprocess
import sys
from pathlib import Path

import pytest
from voices import LABELS, clip, write_corpus

import training
from training.cli import main
from training.commands.common import with_labels

pytestmark = pytest.mark.training


def test_report_command_when_there_is_no_result_then_error_66(tmp_path, capsys):
    code = main(["report", "--results", str(tmp_path), "--output", str(tmp_path / "a.md"), "--pages"])

    assert code == 66
    assert (
        one_line(capsys)
        == f"affectd-train: {tmp_path}: no result; `affectd-train evaluate` writes them, see --results"
    )
    assert not (tmp_path / "a.md").exists()


def one_line(capsys):
    captured = capsys.readouterr()
    lines = [line for line in captured.err.splitlines() if not line.endswith("left out")]
    assert len(lines) == 1, captured.err
    return lines[0]


@pytest.mark.parametrize(
    ("corpus_argument", "reason"),
    [
        ("nowhere", "give its kind too, as in ravdess=nowhere"),
        ("iemocap={folder}", "unknown kind of corpus 'iemocap'"),
        ("ravdess={folder}/nowhere", "no such file or folder"),
        ("ravdess={folder}", "it holds no audio file"),
        ("csv={folder}", "cannot be read as a CSV table"),
    ],
)
@pytest.mark.parametrize("command", [["fit"], ["evaluate", "--protocol", "P1"]])
def test_command_when_the_corpus_is_bad_then_one_line_and_65(
    tmp_path, capsys, command, corpus_argument, reason
):
    code = main([*command, "--corpus", corpus_argument.format(folder=tmp_path)])

    assert code == 65
    assert reason in one_line(capsys)


def test_command_when_the_recipe_is_bad_then_one_line_and_65(tmp_path, corpus_table, capsys):
    (tmp_path / "bad.toml").write_text("epochs = 0")
    code = main(["fit", "--corpus", f"csv={corpus_table}", "--recipe", str(tmp_path / "bad.toml")])

    assert code == 65
    assert "epochs is 0" in one_line(capsys)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--protocol", "P99"], "unknown protocol 'P99'"),
        (["--protocol", "P2"], "needs the corpus emodb"),
        (["--protocol", "P1", "--folds", "1, 7"], "P1 has no fold 7"),
    ],
)
def test_evaluate_command_when_the_protocol_does_not_fit_then_one_line_and_64(
    corpus_table, capsys, arguments, reason
):
    assert main(["evaluate", "--corpus", f"csv={corpus_table}", *arguments]) == 64
    assert reason in one_line(capsys)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["train"],
        ["fit"],
        ["fit", "--corpus", "csv=a.csv", "--sped", "3"],
        ["evaluate", "--corpus", "csv=a.csv"],
        ["evaluate", "--corpus", "csv=a.csv", "--protocol", "P1", "--seeds", "0"],
        ["evaluate", "--corpus", "csv=a.csv", "--protocol", "P1", "--jobs", "many"],
    ],
    ids=" ".join,
)
def test_command_when_arguments_are_wrong_then_usage_and_64(capsys, arguments):
    with pytest.raises(SystemExit) as caught:
        main(arguments)

    assert caught.value.code == 64
    assert capsys.readouterr().err.splitlines()[-1].startswith("affectd-train")


def test_fit_command_when_speakers_are_too_few_then_one_line_and_65(tmp_path, corpus_table, capsys):
    few = corpus_table.parent / "few.csv"
    few.write_text("\n".join(corpus_table.read_text().splitlines()[:10]) + "\n")
    code = main(
        ["fit", "--corpus", f"csv={few}", "--labels", ",".join(LABELS), "--cache", str(tmp_path / "cache"),
         "--run", str(tmp_path / "run")]
    )  # fmt: skip

    assert code == 65
    assert "all 9 clips are of one speaker, s0" in capsys.readouterr().err.splitlines()[-1]


def test_fit_command_when_labels_are_named_then_it_says_which_clips_these_leave_out(
    tmp_path, corpus_table, capsys
):
    few = corpus_table.parent / "few.csv"
    few.write_text("\n".join(corpus_table.read_text().splitlines()[:10]) + "\n")
    command = ["fit", "--corpus", f"csv={few}", "--labels", "Angry,NEUTRAL", "--run", str(tmp_path / "run")]

    assert main(command) == 65
    err = capsys.readouterr().err
    assert "left out: 3 clip(s) of sad, which is not a label of the network; see --labels" in err
    assert "all 6 clips are of one speaker" in err


def test_with_labels_when_calm_is_none_of_them_then_it_counts_as_neutral(capsys):
    clips = [clip(emotion, 0, 0) for emotion in ("calm", "neutral", "sad")]

    def named(*labels):
        return [c.emotion for c in with_labels(clips, labels, "--labels")]

    assert named("neutral", "sad") == ["neutral", "neutral", "sad"]
    assert named("calm", "neutral") == ["calm", "neutral"]
    assert named("sad") == ["sad"]
    assert "left out: 1 clip(s) of calm" in capsys.readouterr().err


def test_fit_command_when_a_label_is_missing_then_it_is_named(tmp_path, corpus_table, capsys):
    (tmp_path / "none.toml").write_text("validation_speakers = 0")
    code = main(
        ["fit", "--corpus", f"csv={corpus_table}", "--labels", "angry,sad,fear",
         "--cache", str(tmp_path / "cache"), "--run", str(tmp_path / "run"),
         "--recipe", str(tmp_path / "none.toml")]
    )  # fmt: skip

    assert code == 65
    err = capsys.readouterr().err
    assert "no clip of fear (--labels angry,sad trains the others only)" in err.splitlines()[-1]
    assert_nothing_was_computed(err, tmp_path)


def assert_nothing_was_computed(err, folder):
    assert "features" not in err
    assert not (folder / "cache").exists()
    assert not (folder / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "no clip of disgust, fear, happy, surprise (--labels angry,neutral,sad trains the others only)"),
        (["--labels", "angry"], "labels are angry: at least two different ones are needed"),
        (
            ["--labels", ",".join(LABELS)],
            "3 speaker(s) are too few: the recipe needs 4 for validation and 2 to train on",
        ),
        (["--labels", ",".join(LABELS), "--recipe", "average"], "name that run (--base)"),
        (["--labels", ",".join(LABELS), "--recipe", "taught"], "name finished runs (--teachers)"),
        (
            ["--labels", ",".join(LABELS), "--base", "nowhere"],
            "nowhere: no finished run to start or learn from",
        ),
    ],
)
def test_fit_command_when_it_cannot_work_then_it_is_said_before_anything_is_computed(
    tmp_path, capsys, arguments, reason
):
    table = write_corpus(tmp_path / "corpus", speakers=3, takes=4)
    places = ["--cache", str(tmp_path / "cache"), "--run", str(tmp_path / "run")]
    code = main(["fit", "--corpus", f"csv={table}", *places, *arguments])
    err = capsys.readouterr().err

    assert code == 65
    assert reason in err.splitlines()[-1]
    assert_nothing_was_computed(err, tmp_path)


@pytest.mark.parametrize("run", ["file", "file/run"])
def test_fit_command_when_the_run_would_be_a_file_then_one_line_and_65(tmp_path, corpus_table, capsys, run):
    (tmp_path / "file").touch()
    code = main(["fit", "--corpus", f"csv={corpus_table}", "--run", str(tmp_path / run)])

    assert code == 65
    assert f"{tmp_path / 'file'}: is a file; name a folder for the run" in one_line(capsys)


def test_fit_command_when_no_clip_can_be_read_then_that_is_said(tmp_path, capsys):
    table = write_corpus(tmp_path / "corpus", speakers=6, takes=2)
    for file in table.parent.glob("*.wav"):
        file.write_text("no sound")
    code = main(
        ["fit", "--corpus", f"csv={table}", "--labels", ",".join(LABELS),
         "--cache", str(tmp_path / "cache"), "--run", str(tmp_path / "run")]
    )  # fmt: skip

    assert code == 65
    assert "none of the 36 clips could be read: " in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "run").exists()


def test_fit_command_when_the_cache_cannot_be_written_then_one_line_and_74(tmp_path, corpus_table, capsys):
    (tmp_path / "file").touch()
    code = main(
        ["fit", "--corpus", f"csv={corpus_table}", "--cache", str(tmp_path / "file" / "cache"),
         "--labels", ",".join(LABELS)]
    )  # fmt: skip

    assert code == 74
    assert "--cache" in one_line(capsys)


def test_command_when_a_clip_is_given_twice_then_it_counts_once(tmp_path, corpus_table, capsys):
    table = f"csv={corpus_table}"
    code = main(["evaluate", "--protocol", "P2", "--corpus", table, "--corpus", table])
    err = capsys.readouterr().err

    assert code == 64
    assert "given twice; only the first is used" in err
    assert "left out: 44 more" in err


def test_help_when_asked_for_then_tensorflow_is_not_waited_for():
    code = (
        "import sys, training.cli\n"
        "try:\n    training.cli.main(['fit', '--help'])\n"
        "finally:\n    assert not {'tensorflow', 'keras', 'sklearn', 'matplotlib'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(training.__file__).parents[1])},
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "ravdess=~/RAVDESS" in done.stdout
