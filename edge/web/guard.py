"""Access control in front of everything else: who may ask, and what a browser may do with the answer."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edge.web.address import host_of, is_loopback
from edge.web.errors import RequestError
from edge.web.replies import error_reply
from edge.web.settings import WebSettings

_WRONG_PASSWORD_S = 1.0
"""Seconds by which the answer to a wrong password is delayed, so that guessing takes long"""

_SAFE_METHODS = {"GET", "HEAD"}

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; media-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Sent with every answer: load nothing from other sites, be framed by no other site, keep no copy"""


class Guard:
    """An ASGI application in front of another.

    Args:
        app: the application that answers.
        settings: names and addresses under which it is reached.
        password: required with every request; None requires none.
    """

    def __init__(self, app: ASGIApp, settings: WebSettings, password: str | None) -> None:
        self._app = app
        self._login = None if password is None else f"{settings.username}:{password}".encode()
        self._names = _names(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, or pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        headers = Headers(scope=scope)
        refusal = self._refusal(scope["method"], headers)
        if refusal is not None and refusal.status_code == 401 and "authorization" in headers:
            await asyncio.sleep(_WRONG_PASSWORD_S)
        await (refusal or self._app)(scope, receive, send_with_headers)

    def _refusal(self, method: str, headers: Headers) -> Response | None:
        host = headers.get("host", "")
        if self._names is not None and host_of(host) not in self._names:
            # Another site can point a host name of its own at this address, and could then read the answers.
            return error_reply(
                RequestError(
                    421,
                    f"the dashboard is not known as {host[:100]!r}; if that name is right, add it to "
                    "hosts in [web] of the configuration",
                )
            )
        if self._login is not None and not _knows(headers, self._login):
            refusal = error_reply(RequestError(401, "user name and password are required"))
            refusal.headers["WWW-Authenticate"] = 'Basic realm="affectd", charset="UTF-8"'
            return refusal
        if method not in _SAFE_METHODS and not _is_own(headers, host):
            return error_reply(RequestError(403, "the request came from a page that is not the dashboard's"))
        return None


def _names(settings: WebSettings) -> frozenset[str] | None:
    """Names allowed in `Host`; None allows any: with a password, no other site can read the answers."""
    if not is_loopback(settings.bind):
        return None
    return frozenset({"localhost", "127.0.0.1", "::1", settings.bind.lower(), *_lower(settings.hosts)})


def _lower(texts: Iterable[str]) -> Iterable[str]:
    return (text.lower() for text in texts)


def _knows(headers: Headers, login: bytes) -> bool:
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    try:
        given = base64.b64decode(encoded.strip(), validate=True) if scheme.lower() == "basic" else b""
    except (binascii.Error, ValueError):
        given = b""
    return hmac.compare_digest(given, login)


def _is_own(headers: Headers, host: str) -> bool:
    """Whether a request that has effects or costs comes from our own page, or from no page at all."""
    said_by_browser = headers.get("sec-fetch-site")
    if said_by_browser is not None:
        return said_by_browser in {"same-origin", "none"}
    origin = headers.get("origin")
    # Compared without the scheme: behind a reverse proxy, it is https for the browser and http here.
    return origin is None or origin.partition("://")[2].lower() == host.lower()
