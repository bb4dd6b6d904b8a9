"""Answers in JSON, good ones and bad ones."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response

from edge.audio.errors import AudioFormatError
from edge.errors import AffectdError
from edge.web.errors import RequestError

_NOT_JUDGED, _NO_SOUND = 422, 415


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """What every answer says that is not a good one."""

    error: str
    """What is wrong, where, and what to do"""


def reply(content: Any, status: int = 200) -> Response:
    """Anything that msgspec encodes, as JSON."""
    return Response(msgspec.json.encode(content), status, media_type="application/json")


def error_reply(error: AffectdError) -> Response:
    """A failure, with the status that fits it."""
    if isinstance(error, RequestError):
        status = error.status
    else:
        status = _NO_SOUND if isinstance(error, AudioFormatError) else _NOT_JUDGED
    answer = reply(Trouble(error=str(error)), status)
    if status == 503:
        answer.headers["Retry-After"] = "2"
    return answer
