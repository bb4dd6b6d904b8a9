"""docs/accuracy.md and its pictures, and passages of other pages, from the results alone."""

from __future__ import annotations

from training.report.page import write_report
from training.report.passages import fill_in
from training.report.results import ReportError

__all__ = ["ReportError", "fill_in", "write_report"]
