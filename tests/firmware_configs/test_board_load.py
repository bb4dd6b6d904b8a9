"""The estimate of each board's load: its page is made from its result, and its plugin is sound C."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from benchmarks.board_load import BOARDS, RESULT, ROOT
from benchmarks.boards.page import PAGE, fill_page, table


@pytest.fixture
def result() -> dict:
    return json.loads(RESULT.read_text(encoding="utf-8"))


def test_page_when_committed_then_its_table_is_that_of_the_result(result, tmp_path) -> None:
    copy = tmp_path / "boards.md"
    shutil.copy(PAGE, copy)
    fill_page(result, copy)

    assert copy.read_text(encoding="utf-8") == PAGE.read_text(encoding="utf-8")


def test_result_when_committed_then_it_is_called_an_estimate_and_names_every_board(result) -> None:
    assert result["label"].startswith("estimate")
    assert set(result["boards"]) == set(BOARDS)
    for counted in result["instructions"].values():
        assert min(counted["front_end_per_s"], counted["gate_per_s"], counted["speech_per_s"]) > 1e5
        assert counted["inferences"] >= counted["turns"] >= 5


def test_table_when_made_then_the_share_is_instructions_over_the_clock(result) -> None:
    result["instructions"]["cortex-a53"] |= {"front_end_per_s": 5e6, "gate_per_s": 5e6, "speech_per_s": 15e6}
    result["instructions"]["cortex-a53"] |= {"inferences": 5, "one_inference": 8e6, "seconds": 10.0}
    (line,) = [line for line in table(result) if "Zero 2 W" in line]

    assert line.endswith("| 5.0 | 5.0 | 6.0 | 4.0 | 2.0 to 4.0 % | 0.5 to 1.0 % |")


def test_page_when_it_has_no_place_for_the_table_then_says_so(result, tmp_path) -> None:
    (tmp_path / "page.md").write_text("nothing")
    with pytest.raises(ValueError, match="0 places"):
        fill_page(result, tmp_path / "page.md")


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
def test_plugin_when_compiled_then_without_a_warning(tmp_path) -> None:
    source = ROOT / "benchmarks" / "boards" / "count_instructions.c"
    subprocess.run(
        [
            "gcc",
            "-std=c99",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-shared",
            "-fPIC",
            "-o",
            tmp_path / "x.so",
            source,
        ],
        check=True,
    )
