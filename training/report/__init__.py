"""docs/accuracy.md and its pictures, from the results alone: nothing in it is typed by hand."""

from __future__ import annotations

from training.report.page import fill_in, write_report
from training.report.results import ReportError

__all__ = ["ReportError", "fill_in", "write_report"]
