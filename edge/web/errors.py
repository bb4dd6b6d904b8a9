"""What can go wrong with the dashboard, and with what is sent to it."""

from __future__ import annotations

from edge.errors import AffectdError


class WebError(AffectdError):
    """Raised when the dashboard cannot do its work; the message says what, where and what to do."""

    exit_code = 69


class WebSettingsError(WebError, ValueError):
    """Raised when a setting makes no sense, or a password is wanted and missing."""

    exit_code = 78


class WebNotInstalledError(WebError):
    """Raised when FastAPI or uvicorn is not installed."""


class AddressError(WebError):
    """Raised when nothing can be served at the address: it is taken, or not ours."""


class RequestError(WebError):
    """Raised for a request that cannot be answered; `status` is that of HTTP."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class StoppedError(Exception):
    """Raised within work that nobody wants any more."""
