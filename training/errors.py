"""The base of every failure of the workbench that a user can cause."""

from __future__ import annotations

from edge.errors import AffectdError


class WorkbenchError(AffectdError, ValueError):
    """Most often the clips, a recipe or a result are at fault."""

    exit_code = 65


class TrainingError(WorkbenchError):
    """Raised when the clips cannot support a training; the message says why."""
