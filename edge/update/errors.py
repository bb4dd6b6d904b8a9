"""What can go wrong with a model update, each with its remedy in the message."""

from __future__ import annotations

from edge.errors import AffectdError


class UpdateError(AffectdError):
    """Raised when a model is not taken; the one in force stays."""

    exit_code = 65


class UpdateMissingError(UpdateError):
    """Raised when there is no such model file, or no signature beside it."""

    exit_code = 66


class UpdateUnavailableError(UpdateError):
    """Raised when the model cannot be had, or this installation lacks what checks it."""

    exit_code = 69


class UpdateSettingsError(UpdateError):
    """Raised when the configuration allows no updates."""

    exit_code = 78
