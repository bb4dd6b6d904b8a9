"""The base class of every error that is reported to the user without a traceback."""

from __future__ import annotations


class AffectdError(Exception):
    """Its message says what is wrong, where, and what to do; the CLI prints it and exits with `exit_code`."""

    exit_code = 70
    """sysexits: 64 usage, 65 bad data, 66 no such input, 69 unavailable, 70 software, 78 configuration"""
