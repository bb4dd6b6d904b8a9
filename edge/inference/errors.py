"""The errors of this package; each message says what to do."""

from __future__ import annotations

from edge.errors import AffectdError


class InferenceError(AffectdError):
    """The base class of this package's errors."""


class ModelFileError(InferenceError):
    """Raised when a model file is missing, damaged, without a card, or needs what this program lacks."""

    exit_code = 65


class ModelMissingError(ModelFileError):
    """Raised when there is no such model file."""

    exit_code = 66


class RuntimeMissingError(InferenceError):
    """Raised when no TFLite runtime can build an interpreter here."""

    exit_code = 69


class TooShortError(InferenceError):
    """Raised when a recording is too short or too quiet to hold any speech."""

    exit_code = 65
