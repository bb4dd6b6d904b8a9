"""The results in the repository: what docs/design and the README rest on."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

import converter

RESULTS = Path(converter.__file__).parents[1] / "benchmarks" / "results" / "accuracy"
FILES = sorted(RESULTS.glob("P*.json"))
P1_FLOOR = 0.58
LARGEST_LOSS = 0.01
"""Of UAR by quantisation, as a fraction"""

needs_results = pytest.mark.skipif(not FILES, reason=f"no result in {RESULTS.name} yet")


class Model(msgspec.Struct, kw_only=True):
    name: str
    parameters: int
    macs: int
    file_bytes: int


class Figures(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    uar: float
    wa: float
    macro_f1: float
    uar_ci95: tuple[float, float]


class Result(msgspec.Struct, kw_only=True):
    protocol: str
    form: str
    command: str
    commit: str | None
    seeds: list[int]
    model: Model
    labels: list[str]
    float_: Figures | None = msgspec.field(name="float")
    """None for P10, which scores the int8 files alone"""

    int8: Figures
    per_fold: list[dict[str, float | str | None]]
    per_speaker: dict[str, float]
    per_sex: dict[str, float]
    confusion_int8: list[list[int]]
    left_out: list[str] = []
    """Test clips without speech, or unreadable"""


@needs_results
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_result_when_committed_then_it_obeys_the_schema_and_agrees_with_itself(path):
    result = msgspec.json.decode(path.read_bytes(), type=Result)
    counts = np.array(result.confusion_int8)

    assert path.stem == f"{result.protocol}-{result.form}"
    assert result.command.startswith("affectd-train evaluate ")
    assert result.seeds == list(range(len(result.seeds)))
    assert counts.shape == (len(result.labels), len(result.labels))
    for figures in filter(None, (result.float_, result.int8)):
        low, high = figures.uar_ci95
        assert 0 <= low <= figures.uar <= high <= 1
        assert 0 <= min(figures.wa, figures.macro_f1) <= max(figures.wa, figures.macro_f1) <= 1
    # In noise a clip may go unanswered: it counts as wrong, and stands in no column.
    tolerance = 1e-4 if result.float_ else 0.01
    assert np.trace(counts) / counts.sum() == pytest.approx(result.int8.wa, abs=tolerance)
    recalls = [counts[i, i] / counts[i].sum() for i in range(len(counts)) if counts[i].any()]
    assert np.mean(recalls) == pytest.approx(result.int8.uar, abs=tolerance)
    assert all(0 <= value <= 1 for value in (*result.per_speaker.values(), *result.per_sex.values()))


@needs_results
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_result_when_committed_then_quantisation_costs_at_most_a_point(path):
    result = msgspec.json.decode(path.read_bytes(), type=Result)

    assert result.float_ is None or result.float_.uar - result.int8.uar <= LARGEST_LOSS
    assert result.model.file_bytes <= 500_000


@pytest.mark.skipif(not (RESULTS / "P1-in.json").exists(), reason="P1 is not committed yet")
def test_p1_when_committed_then_all_folds_and_above_its_floor():
    result = msgspec.json.decode((RESULTS / "P1-in.json").read_bytes(), type=Result)

    assert {int(fold["fold"]) for fold in result.per_fold} == {1, 2, 3, 4, 5, 6}
    assert len(result.per_speaker) == 24
    assert len(result.labels) == 8
    assert np.sum(result.confusion_int8) == (1440 - len(result.left_out)) * len(result.seeds)
    assert len(result.left_out) <= 5
    assert result.int8.uar >= P1_FLOOR
