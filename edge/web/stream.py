"""Server-sent events: what is new from the device, for a browser that stays connected."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
from starlette.responses import StreamingResponse

from edge.web.errors import RequestError
from edge.web.live import MAX_LISTENERS, Live, News

KEEP_ALIVE_S = 15.0
"""Seconds after which something is sent even if nothing is new: proxies close silent connections"""

_RETRY_MS = 2_000


def event(news: News) -> bytes:
    """One event in the format of the stream; JSON has no line breaks here."""
    return b"event: " + news.name.encode() + b"\ndata: " + msgspec.json.encode(news.data) + b"\n\n"


async def events(live: Live) -> AsyncIterator[bytes]:
    """The stream for one more listener, until `live` is closed; empty if there are too many."""
    listener = live.join()
    if listener is None:
        return
    try:
        yield f"retry: {_RETRY_MS}\n\n".encode()
        while not live.closed:
            news = await listener.hear(KEEP_ALIVE_S)
            yield b"".join(map(event, news)) or b": still here\n\n"
    finally:
        live.leave(listener)


def stream(live: Live) -> StreamingResponse:
    """The stream as an HTTP response.

    Raises:
        RequestError: when there are too many listeners.
    """
    if live.is_full:
        raise RequestError(503, f"{MAX_LISTENERS} pages already follow the device; close one of them")
    return StreamingResponse(
        events(live), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )
