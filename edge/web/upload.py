"""Reads the body of a request, a recording, into memory and nowhere else."""

from __future__ import annotations

import asyncio

from starlette.requests import Request

from edge.web.errors import RequestError

_PATIENCE_S = 20.0
"""Seconds without a byte after which an upload is abandoned"""

_DRAIN_S = 2.0
"""Seconds for which excess data is discarded: a client that is still sending would not read the answer"""


async def read_body(request: Request, most_bytes: int) -> bytearray:
    """Read the whole body.

    Raises:
        RequestError: when it is a form, empty, too large, or does not arrive.
        ClientDisconnect: when the client has disconnected.
    """
    if request.headers.get("content-type", "").startswith("multipart/"):
        raise RequestError(
            415, "a form was sent; send the file itself as the body: curl --data-binary @speech.wav URL"
        )
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and int(announced) > most_bytes:
        await _drain(request)
        raise _too_large(most_bytes)
    body = bytearray()
    chunks = request.stream().__aiter__()
    while True:
        try:
            chunk = await asyncio.wait_for(chunks.__anext__(), _PATIENCE_S)
        except StopAsyncIteration:
            break
        except TimeoutError:
            raise RequestError(408, f"no data came for {_PATIENCE_S:g} s; send the recording again") from None
        if len(body) + len(chunk) > most_bytes:
            body.clear()
            await _drain(request)
            raise _too_large(most_bytes)
        body += chunk
    if not body:
        raise RequestError(400, "the request has no body; send a sound file: --data-binary @speech.wav")
    return body


async def _drain(request: Request) -> None:
    """Discard the rest of the body, unless the client is waiting for permission to send it."""
    if "expect" in request.headers:
        return
    try:
        async with asyncio.timeout(_DRAIN_S):
            while (await request.receive()).get("more_body"):
                pass
    except TimeoutError:
        return


def _too_large(most_bytes: int) -> RequestError:
    return RequestError(
        413,
        f"the recording is larger than {most_bytes / 1e6:g} MB; send it as FLAC, cut it, or raise "
        "max_upload_mb in [web] of the configuration",
    )
