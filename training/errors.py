"""Base classes of the workbench's errors that a user can cause."""

from __future__ import annotations

from edge.errors import AffectdError


class WorkbenchError(AffectdError, ValueError):
    """Base of the workbench's errors; usually the clips, a recipe or a result is at fault."""

    exit_code = 65


class TrainingError(WorkbenchError):
    """Raised when the clips do not suffice for a training; the message says why."""
