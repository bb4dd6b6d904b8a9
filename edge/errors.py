"""The base of every failure that a user can cause."""

from __future__ import annotations


class AffectdError(Exception):
    """Its message says what, where and what to do; the command line prints it and ends with `exit_code`."""

    exit_code = 70
    """sysexits: 64 usage, 65 bad data, 66 no such input, 69 unavailable, 70 software, 78 configuration"""
