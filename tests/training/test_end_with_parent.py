import shutil
import subprocess
import sys
import time

import psutil
import pytest
from voices import LABELS

pytestmark = pytest.mark.training

POOL = """
import multiprocessing, sys, time
from concurrent.futures import ProcessPoolExecutor
from training.end_with_parent import end_with_parent

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    with ProcessPoolExecutor(2, mp_context=context, initializer=end_with_parent) as pool:
        list(pool.map(abs, [1, 2]))
        print("ready", flush=True)
        if sys.argv[2] == "busy":
            list(pool.map(time.sleep, [600, 600]))
        time.sleep(600)
"""


def killed(child):
    """Kill a process; gives the processes that it had started, and those of them that did not end."""
    workers = psutil.Process(child.pid).children(recursive=True)
    child.kill()
    child.communicate(timeout=60)
    return workers, psutil.wait_procs(workers, timeout=60)[1]


@pytest.mark.parametrize("doing", ["busy", "idle"])
@pytest.mark.parametrize("start", ["spawn", "fork"])
def test_pool_when_its_parent_is_killed_then_no_process_is_left(start, doing, tmp_path):
    script = tmp_path / "pool.py"
    script.write_text(POOL)
    child = subprocess.Popen([sys.executable, script, start, doing], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "ready\n"
    workers, alive = killed(child)

    assert len(workers) >= 2
    assert alive == []


def test_fit_command_when_killed_while_it_reads_clips_then_no_process_is_left(train, corpus_table, tmp_path):
    rows = corpus_table.read_text().splitlines()
    copies = [rows[0]]
    for i in range(40):
        for row in rows[1:]:
            name, rest = row.split(",", 1)
            copy = f"{i}-{name.replace('/', '-')}"
            shutil.copy(corpus_table.parent / name, tmp_path / copy)
            copies.append(f"{copy},{rest}")
    (tmp_path / "many.csv").write_text("\n".join(copies) + "\n")
    child = train(
        "fit", "--corpus", f"csv={tmp_path / 'many.csv'}", "--labels", ",".join(LABELS),
        "--cache", tmp_path / "cache", "--run", tmp_path / "run",
    )  # fmt: skip
    while not any((tmp_path / "cache").glob("*/*.npy")) and child.poll() is None:
        time.sleep(0.01)
    workers, alive = killed(child)

    assert child.returncode == -9
    assert workers
    assert alive == []
