"""The JSON files that `affectd-train evaluate` and `baseline` write, as the page needs them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from training.errors import WorkbenchError

Result = dict[str, Any]

BASELINES = "baselines"
"""The folder of the baselines within that of the results"""

_FORMS = ("in", "multi", "joint", "adapt", "enrol")


class ReportError(WorkbenchError):
    """Raised when there is nothing to report on; the message says where results were looked for."""

    exit_code = 66


def read_results(folder: Path) -> list[Result]:
    """All results of a folder, protocol by protocol.

    Raises:
        ReportError: when there is none.
    """
    found = read_folder(folder)
    if not found:
        raise ReportError(f"{folder}: no result; `affectd-train evaluate` writes them, see --results")
    return found


def read_baselines(folder: Path) -> list[Result]:
    """The results of the baselines beside them, of which there may be none."""
    found = _read(folder / BASELINES)
    return sorted(found, key=lambda r: (_order(r), r["model"]["name"]))


def read_folder(folder: Path) -> list[Result]:
    """The results of a folder, protocol by protocol; none where there is no such folder."""
    return sorted(_read(folder), key=_order)


def _read(folder: Path) -> list[Result]:
    return [msgspec.json.decode(path.read_bytes()) for path in folder.glob("P*.json")]


def _order(result: Result) -> tuple[int, int]:
    digits = re.sub(r"\D", "", result["protocol"])
    return int(digits or 0), _FORMS.index(result["form"]) if result["form"] in _FORMS else len(_FORMS)


def best(result: Result) -> dict[str, Any]:
    """The figures of the int8 file, or of the float classifier where there is no file."""
    figures: dict[str, Any] = result["int8"] or result["float"]
    return figures


def mean_of_parts(result: Result) -> float | None:
    """The mean over corpora, for TESS over the two directions; None where the protocol has one part."""
    if result["protocol"] == "P3":
        rows = [row["int8_uar"] or row["float_uar"] for row in result["per_fold"]]
        return float(np.mean(rows))
    parts = result.get("per_corpus", {})
    if result.get("base", result["form"]) != "joint" or len(parts) < 2:
        return None
    return float(np.mean(list(parts.values())))


def points(share: float | None) -> str:
    """A fraction as the page shows it."""
    return "–" if share is None else f"{100 * share:.1f}"
