"""The log of all runs."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from training.recipe import Recipe
from training.run_log import RUNS, RunLogError, append_run, read_runs


def test_run_log_when_a_run_is_added_then_it_is_read_back_behind_the_others(tmp_path):
    file = tmp_path / "made" / "runs.jsonl"
    assert read_runs(file) == []
    for seed in range(3):
        append_run(
            file, commit="abc", protocol="P1-in", recipe=Recipe(seed=seed), fold="2", test_uar=0.61234,
            seconds=1.26,
        )  # fmt: skip
    runs = read_runs(file)

    assert [run.seed for run in runs] == [0, 1, 2]
    assert (runs[0].test_uar, runs[0].seconds, runs[0].validation_uar) == (0.6123, 1.3, None)
    assert runs[0].recipe == Recipe()
    assert [run.date for run in runs] == sorted(run.date for run in runs)


def test_run_log_when_processes_write_at_once_then_every_line_is_whole(tmp_path, run_python):
    file = tmp_path / "runs.jsonl"
    code = """
        import sys
        from pathlib import Path
        from training.recipe import Recipe
        from training.run_log import append_run
        for seed in range(50):
            append_run(Path(sys.argv[1]), commit=None, protocol="fit", recipe=Recipe(seed=seed))
    """
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: run_python(code, file), range(2)))
    assert [run.returncode for run in done] == [0, 0]
    assert sorted(run.seed for run in read_runs(file)) == sorted([*range(50), *range(50)])


def test_run_log_when_a_line_is_damaged_then_it_is_named(tmp_path):
    file = tmp_path / "runs.jsonl"
    append_run(file, commit=None, protocol="fit", recipe=Recipe())
    file.write_bytes(file.read_bytes() + b'{"date": \n')
    with pytest.raises(RunLogError, match=r"runs\.jsonl:2: not a run"):
        read_runs(file)


def test_run_log_when_committed_then_its_runs_are_those_behind_the_results_and_name_their_commit():
    runs = read_runs(Path(__file__).parents[2] / RUNS)

    assert [run.date for run in runs] == sorted(run.date for run in runs)
    assert all(run.commit for run in runs)
    assert {"P1-in", "P2-in", "P3-in", "P4-in", "P5-in", "P6-in", "P7-in", "P8-joint", "fit"} <= {
        run.protocol for run in runs
    }
