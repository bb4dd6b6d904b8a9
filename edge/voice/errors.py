"""Errors of enrolment, each with its remedy in the message."""

from __future__ import annotations

from edge.errors import AffectdError


class EnrolmentError(AffectdError):
    """Raised when a voice cannot be enrolled, or an enrolment cannot be used."""

    exit_code = 65


class EnrolmentSoundError(EnrolmentError):
    """Raised when the sound breaks off during an enrolment."""

    exit_code = 69


class EnrolmentFileError(EnrolmentError):
    """Raised when the file of an enrolment cannot be written or removed."""

    exit_code = 69
