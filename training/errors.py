"""The base of every failure of the workbench that a user can cause."""

from __future__ import annotations


class WorkbenchError(ValueError):
    """Its message says what, where and what to do; the command line prints it and ends with `exit_code`."""

    exit_code = 65
    """sysexits: 64 usage, 65 bad data, 66 no such input, 69 unavailable"""
