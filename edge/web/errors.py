"""Errors of the dashboard, and of requests to it."""

from __future__ import annotations

from edge.errors import AffectdError


class WebError(AffectdError):
    """Raised when the dashboard fails; the message says what is wrong, where, and what to do."""

    exit_code = 69


class WebSettingsError(WebError, ValueError):
    """Raised when a setting is invalid, or a required password is missing."""

    exit_code = 78


class WebNotInstalledError(WebError):
    """Raised when FastAPI or uvicorn is not installed."""


class AddressError(WebError):
    """Raised when the dashboard cannot listen on the address: it is in use, or not this machine's."""


class RequestError(WebError):
    """Raised for a request that cannot be answered; `status` is the HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class StoppedError(Exception):
    """Raised to end work whose result nobody waits for any more."""
