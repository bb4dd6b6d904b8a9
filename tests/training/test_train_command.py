import hashlib
import re
import shutil
from dataclasses import replace

import keras
import msgspec
import numpy as np
import psutil
import pytest
from voices import LABELS, TINY_TOML

from training.cli import main
from training.corpora import read_corpus
from training.fold import FoldResult, run_fold
from training.fold_task import fold_tasks
from training.protocols import plan
from training.recipe import load_recipe
from training.report import fill_in
from training.run_folder import RunMismatchError
from training.run_log import read_runs

pytestmark = pytest.mark.training


def test_fit_command_when_killed_then_the_same_command_ends_with_the_same_network(
    train, corpus_table, recipes, finished_run, tmp_path
):
    """The uninterrupted run of the same clips is the one of `finished_run`, in this process."""
    command = (
        "fit", "--corpus", f"csv={corpus_table}", "--recipe", recipes / "tiny.toml",
        "--labels", ",".join(LABELS), "--cache", tmp_path / "cache", "--run", tmp_path / "run",
    )  # fmt: skip
    child = train(*command)
    for line in child.stderr:
        if "run: epoch 1 of 8" in line:
            break
    child.kill()
    child.communicate(timeout=60)
    assert child.returncode == -9
    assert not (tmp_path / "run" / "run.json").exists()

    again = train(*command)
    out, err = again.communicate(timeout=280)
    assert again.returncode == 0, err
    assert "epoch 1 of" not in err
    assert "run: epoch 8 of 8, loss" in err
    assert "UAR" in out
    assert f"next: affectd-convert {tmp_path / 'run'}" in out
    uninterrupted = keras.models.load_model(finished_run[0] / "network.keras")
    resumed = keras.models.load_model(tmp_path / "run" / "network.keras")
    for a, b in zip(uninterrupted.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
    assert msgspec.json.decode((tmp_path / "run" / "run.json").read_bytes())["epochs"] == 8


def test_evaluate_command_when_done_then_the_results_obey_the_schema(evaluated):
    folder, out, _ = evaluated
    result = msgspec.json.decode((folder / "results" / "P1-in.json").read_bytes())

    assert (result["protocol"], result["form"], result["seeds"]) == ("P1", "in", [0])
    assert result["labels"] == sorted(LABELS)
    assert result["folds"] == [1, 2]
    assert result["command"].startswith("affectd-train evaluate --protocol P1 --seeds 1 --recipe ")
    assert result["command"].endswith(" --corpus csv=CORPORA/corpus.csv")
    assert sum(map(sum, result["confusion_int8"])) == 54
    assert [len(row) for row in result["confusion_int8"]] == [3, 3, 3]
    assert set(result["per_speaker"]) == {f"s{i}" for i in range(6)}
    assert set(result["per_sex"]) == {"f", "m"}
    for kind in ("float", "int8"):
        low, high = result[kind]["uar_ci95"]
        assert 0 <= low <= result[kind]["uar"] <= high <= 1
        assert 0 <= result[kind]["wa"] <= 1
    assert abs(result["float"]["uar"] - result["int8"]["uar"]) < 0.1
    assert result["model"]["file_bytes"] <= 500_000
    assert result["model"]["runtime"] in ("litert", "tflite-runtime", "tensorflow")
    assert f"int8: UAR {result['int8']['uar']:.1%}" in out
    assert "results: " in out


def test_evaluate_command_when_done_then_the_log_has_a_line_for_each_fold(evaluated):
    folder, _, _ = evaluated
    result = msgspec.json.decode((folder / "results" / "P1-in.json").read_bytes())
    runs = sorted(read_runs(folder / "runs.jsonl"), key=lambda run: run.fold)

    assert [(run.protocol, run.fold, run.seed) for run in runs] == [("P1-in", "1", 0), ("P1-in", "2", 0)]
    for run, fold in zip(runs, result["per_fold"], strict=True):
        assert (run.test_uar, run.commit) == (fold["int8_uar"], fold["commit"])
        assert run.seconds > 0
        assert run.recipe.name == "tiny"


def test_evaluate_when_a_kept_fold_does_not_know_its_commit_then_it_is_read_all_the_same(evaluated):
    folder, _, _ = evaluated
    kept = msgspec.json.decode((folder / "runs" / "P1-in" / "seed0-fold1" / "result.json").read_bytes())
    new = {"commit", "scored", "seconds"}
    old = {name: value for name, value in kept.items() if name not in new}

    assert new <= set(kept)
    result = msgspec.json.decode(msgspec.json.encode(old), type=FoldResult)
    assert (result.commit, result.truth) == (None, kept["truth"])


@pytest.mark.parametrize(("form", "turns"), [("adapt", "0 1 3 10 30"), ("enrol", "0 1 3 10")])
def test_evaluate_command_when_done_then_what_the_voices_reference_is_worth_is_there(evaluated, form, turns):
    folder, out, _ = evaluated
    unheard = msgspec.json.decode((folder / "results" / "P1-in.json").read_bytes())
    result = msgspec.json.decode((folder / "results" / f"P1-{form}.json").read_bytes())

    assert (result["form"], result["base"]) == (form, "in")
    assert list(result["int8_uar_by_k"]) == turns.split()
    assert result["int8_uar_by_k"]["0"] == unheard["int8"]["uar"]
    assert result["int8_uar_by_k"][str(result["k"])] == result["int8"]["uar"]
    assert list(result["int8_uar_by_k_reference_alone"]) == turns.split()
    assert list(result["share_with_k"]) == turns.split()
    assert 1.0 == result["share_with_k"]["0"] > result["share_with_k"]["10"]
    assert f"P1 {form}, k = {result['k']}" in out


def test_evaluate_command_when_killed_then_its_processes_end_too(train, corpus_table, recipes, tmp_path):
    """Else they would train on, into the folders of whoever comes next."""
    (tmp_path / "long.toml").write_text(TINY_TOML.format(epochs=5_000, validation_speakers=0))
    child = train(
        "evaluate", "--protocol", "P1", "--corpus", f"csv={corpus_table}", "--recipe", tmp_path / "long.toml",
        "--jobs", 1, "--cache", tmp_path / "cache", "--runs", tmp_path / "runs", "--results", tmp_path,
    )  # fmt: skip
    for line in child.stderr:
        if "fold 1: epoch 2 of" in line:
            break
    workers = [p for p in psutil.Process(child.pid).children(recursive=True) if p.is_running()]
    child.kill()
    child.communicate(timeout=60)
    _, alive = psutil.wait_procs(workers, timeout=60)

    assert workers
    assert alive == []


def test_evaluate_command_when_no_terminal_then_plain_lines_tell_of_every_epoch(evaluated):
    _, _, err = evaluated

    assert re.findall(r"seed 0 fold \d: epoch \d of \d", err, re.MULTILINE)
    assert {"1", "2"} == set(re.findall(r"^seed 0 fold (\d): epoch 1 of 1, loss \d", err, re.MULTILINE))
    assert "features: 54 of 54 clips" in err
    assert 2 <= err.count("features: ") <= 5
    assert "\x1b" not in err
    # What TensorFlow says of the machine is no matter here.
    assert "oneDNN" not in err


def first_fold(evaluated, corpus_table, recipe):
    """The first fold of `evaluated`, by one recipe or another."""
    protocol = plan("P1", read_corpus("csv", corpus_table).clips)
    return fold_tasks(protocol, load_recipe(recipe), [0], evaluated / "runs", evaluated / "cache")[0]


def copied_fold(evaluated, corpus_table, recipes, tmp_path):
    """The first fold of `evaluated`, in a copy of its runs."""
    folder, _, _ = evaluated
    shutil.copytree(folder / "runs", tmp_path / "runs")
    task = first_fold(folder, corpus_table, recipes / "once.toml")
    return replace(task, folder=tmp_path / "runs" / task.folder.relative_to(folder / "runs"))


def test_evaluate_when_a_fold_is_finished_then_it_is_read_back(evaluated, corpus_table, recipes):
    folder, _, _ = evaluated
    task = first_fold(folder, corpus_table, recipes / "once.toml")
    before = (task.folder / "result.json").stat().st_mtime_ns
    told = []
    result = run_fold(task, told.append)

    assert told == []
    assert len(result.truth) == 27
    assert (task.folder / "result.json").stat().st_mtime_ns == before
    info = msgspec.json.decode((task.folder / "run.json").read_bytes())
    assert (info["validation_uar"], info["temperature"], info["best_epoch"]) == (None, 1.0, 1)


def test_evaluate_when_a_kept_fold_was_not_asked_what_a_known_voice_is_worth_then_it_is_scored_anew(
    evaluated, corpus_table, recipes, tmp_path
):
    task = copied_fold(evaluated, corpus_table, recipes, tmp_path)
    file = task.folder / "result.json"
    kept = msgspec.json.decode(file.read_bytes())
    file.write_bytes(msgspec.json.encode({**kept, "int8_by_turns": {}, "float_headlines": {}}))

    result = run_fold(task)

    assert result.int8_by_turns == kept["int8_by_turns"]
    assert result.int8_answers == kept["int8_answers"]


def test_evaluate_when_the_result_of_a_fold_is_damaged_then_it_is_scored_anew(
    evaluated, corpus_table, recipes, tmp_path
):
    task = copied_fold(evaluated, corpus_table, recipes, tmp_path)
    file = task.folder / "result.json"
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])

    assert run_fold(task).int8_answers == msgspec.json.decode(whole)["int8_answers"]
    assert msgspec.json.decode(file.read_bytes())["int8_answers"]


def test_evaluate_when_a_fold_was_of_another_recipe_then_refused(evaluated, corpus_table, recipes):
    folder, _, _ = evaluated
    with pytest.raises(RunMismatchError, match="different recipe"):
        run_fold(first_fold(folder, corpus_table, recipes / "tiny.toml"))


def test_report_command_when_results_are_there_then_a_page_with_every_figure(evaluated, tmp_path, capsys):
    folder, _, _ = evaluated
    page = tmp_path / "README.md"
    page.write_text(
        "before\n<!-- accuracy: made by `affectd-train report` -->\nstale\n<!-- /accuracy -->\nafter\n"
    )
    code = main(
        ["report", "--results", str(folder / "results"), "--output", str(tmp_path / "accuracy.md"),
         "--pages", str(page), str(tmp_path / "none.md")]
    )  # fmt: skip
    result = msgspec.json.decode((folder / "results" / "P1-in.json").read_bytes())
    figure = f"**{100 * result['int8']['uar']:.1f}**"
    text = (tmp_path / "accuracy.md").read_text()

    assert code == 0
    assert figure in text
    assert "**only 2 of 6 folds**" in text
    assert (tmp_path / "figures" / "P1-in-confusion.png").read_bytes()[:4] == b"\x89PNG"
    assert "](figures/P1-in-confusion.png)" in text
    assert figure in page.read_text()
    assert "stale" not in page.read_text()
    assert page.read_text().startswith("before\n")
    assert page.read_text().endswith("after\n")
    assert "none.md" not in capsys.readouterr().out
    assert not fill_in(tmp_path / "none.md", folder / "results")


def test_evaluate_command_when_only_to_train_and_from_a_base_then_starts_there_and_nothing_is_scored(
    evaluated, corpus_table, recipes, tmp_path, capsys
):
    folder, _, _ = evaluated
    command = [
        "evaluate", "--protocol", "P1", "--corpus", f"csv={corpus_table}", "--train-only",
        "--base", str(folder / "runs" / "P1-in"),
        "--recipe", str(recipes / "once.toml"), "--folds", "2", "--jobs", "1",
        "--cache", str(folder / "cache"), "--runs", str(tmp_path), "--results", str(tmp_path / "results"),
    ]  # fmt: skip

    assert main(command) == 0
    assert "the same command without --train-only scores them" in capsys.readouterr().out
    made = {path.name for path in (tmp_path / "P1-in" / "seed0-fold2").iterdir()}
    assert {"network.keras", "run.json"} <= made
    assert not {"model.tflite", "result.json"} & made
    assert not (tmp_path / "results").exists()
    begun = msgspec.json.decode((tmp_path / "P1-in" / "seed0-fold2" / "start.json").read_bytes())
    known = (folder / "runs" / "P1-in" / "seed0-fold2" / "network.keras").read_bytes()
    assert begun["base"] == hashlib.sha256(known).hexdigest()


def test_evaluate_command_when_there_are_teachers_then_the_fold_learns_from_theirs_and_says_so(
    evaluated, corpus_table, recipes, tmp_path
):
    folder, _, _ = evaluated
    once = (recipes / "once.toml").read_text()
    (tmp_path / "taught.toml").write_text("taught = 0.5\n" + once)
    command = [
        "evaluate", "--protocol", "P1", "--corpus", f"csv={corpus_table}",
        "--teachers", str(folder / "runs" / "P1-in"), str(folder / "runs" / "P1-in"),
        "--recipe", str(tmp_path / "taught.toml"), "--folds", "2", "--jobs", "1",
        "--cache", str(folder / "cache"), "--runs", str(tmp_path), "--results", str(tmp_path / "results"),
        "--log", str(tmp_path / "log.jsonl"),
    ]  # fmt: skip

    assert main(command) == 0
    begun = msgspec.json.decode((tmp_path / "P1-in" / "seed0-fold2" / "start.json").read_bytes())
    known = hashlib.sha256((folder / "runs" / "P1-in" / "seed0-fold2" / "network.keras").read_bytes())
    assert begun["teachers"] == f"{known.hexdigest()} {known.hexdigest()}"
    result = msgspec.json.decode((tmp_path / "results" / "P1-in.json").read_bytes())
    assert "--teachers RUNS1/P1-in RUNS2/P1-in" in result["command"]


def test_evaluate_command_when_a_fuller_result_is_there_then_it_stays(
    evaluated, corpus_table, recipes, tmp_path, capsys
):
    folder, _, _ = evaluated
    whole = (folder / "results" / "P1-in.json").read_bytes()
    (tmp_path / "P1-in.json").write_bytes(whole)
    command = [
        "evaluate", "--protocol", "P1", "--corpus", f"csv={corpus_table}",
        "--recipe", str(recipes / "once.toml"),
        "--folds", "1", "--jobs", "1", "--cache", str(folder / "cache"), "--runs", str(folder / "runs"),
    ]  # fmt: skip

    assert main([*command, "--results", str(tmp_path)]) == 0
    assert (tmp_path / "P1-in.json").read_bytes() == whole
    assert "holds folds or seeds that this run lacks" in capsys.readouterr().err

    assert main([*command, "--results", str(tmp_path / "other")]) == 0
    assert msgspec.json.decode((tmp_path / "other" / "P1-in.json").read_bytes())["folds"] == [1]
