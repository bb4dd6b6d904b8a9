"""The error of `affectd bench`."""

from __future__ import annotations

from edge.errors import AffectdError


class BenchError(AffectdError):
    """Raised when the daemon cannot be measured; the message includes its last output."""

    exit_code = 69
