import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

pytestmark = pytest.mark.training

SCRIPT = """
import sys, time
from pathlib import Path
from training.pool import worker_pool

def work(i):
    (Path(sys.argv[1]) / f"begun-{i}").touch()
    if sys.argv[2] == "fails" and i == 0:
        raise OSError(28, "No space left on device")
    time.sleep(600)

if __name__ == "__main__":
    with worker_pool(2) as pool:
        for done in [pool.submit(work, i) for i in range(8)]:
            done.result()
"""


@pytest.fixture
def begin(tmp_path):
    """Start eight works of ten minutes, two at a time, in a process group of their own."""
    (tmp_path / "script.py").write_text(SCRIPT)

    def start(what):
        command = [sys.executable, tmp_path / "script.py", tmp_path, what]
        return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)

    return start


def test_pool_when_interrupted_at_the_terminal_then_it_ends_at_once_and_begins_nothing_more(begin, tmp_path):
    child = begin("sleeps")
    while len(list(tmp_path.glob("begun-*"))) < 2 and child.poll() is None:
        time.sleep(0.01)
    workers = psutil.Process(child.pid).children(recursive=True)
    os.killpg(child.pid, signal.SIGINT)
    _, said = child.communicate(timeout=60)

    assert said.count("KeyboardInterrupt") == 1
    assert sorted(path.name for path in tmp_path.glob("begun-*")) == ["begun-0", "begun-1"]
    assert len(workers) >= 2
    assert psutil.wait_procs(workers, timeout=60)[1] == []


def test_pool_when_one_work_fails_then_its_error_is_raised_without_the_others(begin, tmp_path):
    child = begin("fails")
    _, said = child.communicate(timeout=60)

    assert child.returncode == 1
    assert said.strip().endswith("OSError: [Errno 28] No space left on device")
    assert len(list(tmp_path.glob("begun-*"))) < 8
