"""Errors of a baseline that a user can correct."""

from __future__ import annotations

from training.errors import WorkbenchError


class BaselineError(WorkbenchError):
    """Raised when a baseline cannot be run here; the message says what to install or to choose."""

    exit_code = 69
