"""What is trained for a protocol, where it is kept, and what it starts from."""

import pickle
from dataclasses import replace
from pathlib import Path

import pytest
from voices import TINY, clip

from training.fold_task import fold_tasks
from training.protocols import Protocol, Split

pytestmark = pytest.mark.training

HEARD, TESTED = clip("angry", 1, 0), clip("angry", 2, 0)
P1 = Protocol(
    "P1", "in", ("angry", "sad"), (Split("1", (HEARD,), (TESTED,)), Split("2", (TESTED,), (HEARD,)))
)
RUNS = Path("runs")


def test_fold_tasks_when_made_then_every_fold_with_every_seed_in_a_folder_of_its_own():
    tasks = fold_tasks(P1, TINY, [0, 7], RUNS, Path("cache"))

    assert [(task.name, task.split, task.recipe.seed) for task in tasks] == [
        (f"seed {seed} fold {split.name}", split, seed) for seed in (0, 7) for split in P1.splits
    ]
    assert tasks[-1].folder == RUNS / "P1-in" / "seed7-fold2"
    assert len({task.folder for task in tasks}) == 4


@pytest.mark.parametrize(
    ("changes", "bases", "expected"),
    [
        ({}, None, None),
        ({"form": "multi", "base": "4"}, None, RUNS / "P9-joint" / "seed7-fold4"),
        ({}, Path("other"), Path("other") / "seed7-fold2"),
        ({"form": "multi", "base": "4"}, Path("other"), Path("other") / "seed7-fold2"),
    ],
)
def test_fold_tasks_when_another_run_is_the_base_then_that_of_the_same_seed(changes, bases, expected):
    task = fold_tasks(replace(P1, **changes), TINY, [7], RUNS, Path("cache"), bases)[-1]

    assert task.base == expected


def test_fold_tasks_when_there_are_teachers_then_those_of_the_same_seed_and_fold_and_no_other():
    tasks = fold_tasks(P1, TINY, [7], RUNS, Path("cache"), teachers=[Path("a"), Path("b")])

    assert [task.teachers for task in tasks] == [
        (Path("a") / f"seed7-fold{fold}", Path("b") / f"seed7-fold{fold}") for fold in (1, 2)
    ]


def test_fold_task_when_sent_to_a_process_then_it_takes_no_other_folds_along():
    task = fold_tasks(P1, TINY, [0], RUNS, Path("cache"))[0]

    assert pickle.loads(pickle.dumps(task)) == task
    assert task.protocol.splits == ()
