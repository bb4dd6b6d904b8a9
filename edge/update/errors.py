"""Errors of model updates; each message says what to do."""

from __future__ import annotations

from edge.errors import AffectdError


class UpdateError(AffectdError):
    """Raised when a model is not accepted; the one in force stays."""

    exit_code = 65


class UpdateMissingError(UpdateError):
    """Raised when there is no such model file, or no signature next to it."""

    exit_code = 66


class UpdateUnavailableError(UpdateError):
    """Raised when the model cannot be fetched, or the library that checks signatures is not installed."""

    exit_code = 69


class UpdateSettingsError(UpdateError):
    """Raised when the configuration does not allow updates."""

    exit_code = 78
