"""The board files: valid TOML, valid configuration, and no board forgotten in the folder's README."""

import re
import tomllib
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "firmware_configs"
BOARDS = sorted((FOLDER / "boards").glob("*.toml"))

each_board = pytest.mark.parametrize("board", BOARDS, ids=lambda path: path.stem)


def uncommented(board: Path) -> str:
    """The file with every optional setting taken: they are written as `#name = value`."""
    return re.sub(r"^#(?=\w+ = )", "", board.read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_boards_when_listed_then_there_are_six():
    assert [board.stem for board in BOARDS] == ["pi3", "pi4", "pi5", "pi_32bit", "pi_zero_2w", "x86"]


@each_board
def test_board_file_when_parsed_then_it_says_what_the_readme_says(board):
    model = tomllib.loads(board.read_text(encoding="utf-8"))["model"]
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    row = next(line for line in readme.splitlines() if line.startswith(f"| `boards/{board.name}`"))
    assert row.endswith(f"| {model['threads']} | {model['window_hop_s']} |")


@each_board
def test_board_file_when_loaded_then_it_is_a_valid_configuration(board):
    config = pytest.importorskip("edge.config")
    config.load(board)


@each_board
def test_board_file_when_every_option_is_taken_then_it_is_a_valid_configuration(board, tmp_path):
    config = pytest.importorskip("edge.config")
    full = tmp_path / board.name
    full.write_text(uncommented(board), encoding="utf-8")
    assert tomllib.loads(full.read_text(encoding="utf-8"))["mqtt"]["username"] == "kitchen"
    config.load(full)


def test_board_files_when_compared_then_only_the_board_differs():
    tails = {board.read_text(encoding="utf-8").partition("[mqtt]")[2] for board in BOARDS}
    assert len(tails) == 1
