"""What can go wrong while a machine is measured."""

from __future__ import annotations

from edge.errors import AffectdError


class BenchError(AffectdError):
    """Raised when the daemon cannot be measured; the message has what it said last."""

    exit_code = 69
