"""JSON responses, for results and for errors."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response

from edge.audio.errors import AudioFormatError
from edge.errors import AffectdError
from edge.web.errors import RequestError

_NOT_JUDGED, _NO_SOUND = 422, 415


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """The content of every error response."""

    error: str
    """What is wrong, where, and what to do"""


def reply(content: Any, status: int = 200) -> Response:
    """A JSON response from anything that msgspec can encode."""
    return Response(msgspec.json.encode(content), status, media_type="application/json")


def error_reply(error: AffectdError) -> Response:
    """The response to an error, with the matching status."""
    if isinstance(error, RequestError):
        status = error.status
    else:
        status = _NO_SOUND if isinstance(error, AudioFormatError) else _NOT_JUDGED
    answer = reply(Trouble(error=str(error)), status)
    if status == 503:
        answer.headers["Retry-After"] = "2"
    return answer
