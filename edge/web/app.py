"""The HTTP API and the pages, as one ASGI application."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.staticfiles import StaticFiles

from edge import __version__
from edge.errors import AffectdError
from edge.mqtt.settings import MqttSettings
from edge.web.contract import ModelView, Turns, WebHealth, add_schemas, content
from edge.web.desk import Desk
from edge.web.errors import RequestError, StoppedError
from edge.web.follower import Follower
from edge.web.judge import Judge, Judgement
from edge.web.live import KEPT_TURNS, Live, Present, Snapshot
from edge.web.replies import Trouble, error_reply, reply
from edge.web.stream import stream
from edge.web.upload import read_body

STATIC = Path(__file__).with_name("static")

_LOOK_S = 0.5
"""Seconds between two checks whether the client is still connected"""


@dataclass
class Parts:
    """The parts that the application uses."""

    judge: Judge
    desk: Desk
    live: Live
    mqtt: MqttSettings
    model: Callable[[], ModelView]
    """Describes the model in force; may have to load it"""

    max_upload_bytes: int
    started: float = field(default_factory=time.monotonic)

    def close(self) -> None:
        """End every stream and every analysis. Call this in the event loop's thread."""
        self.live.close()
        self.desk.close()


def make_app(parts: Parts) -> FastAPI:
    """The application, without the guard in front of it."""

    @asynccontextmanager
    async def follow(_app: FastAPI) -> AsyncIterator[None]:
        follower = Follower(parts.mqtt, parts.live, asyncio.get_running_loop())
        follower.start()
        yield
        follower.stop()

    app = FastAPI(
        title="affectd",
        version=__version__,
        description="Emotion of speech, live and in recordings, which are analysed in memory and not kept.",
        lifespan=follow,
        # These pages load their scripts from the internet, and these machines are offline.
        docs_url=None,
        redoc_url=None,
        # Newer releases of FastAPI would send telemetry to wherever the environment says.
        telemetry={
            "tracing": False,
            "metrics": False,
            "logs": False,
            "operation_spans": False,
            "auto_configure": False,
        },
    )
    _add_errors(app)
    _add_live(app, parts)
    _add_recordings(app, parts)
    _describe(app)
    app.mount("/", StaticFiles(directory=STATIC, html=True))
    return app


def _add_live(app: FastAPI, parts: Parts) -> None:
    @app.get("/api/state", responses={200: content(Present)}, response_class=Response)
    async def state() -> Response:
        """The current state of the device, and of the connection to its broker."""
        return reply(parts.live.present)

    @app.get("/api/turns", responses={200: content(Turns)}, response_class=Response)
    async def turns(
        limit: Annotated[int, Query(ge=1, le=KEPT_TURNS, description="Maximum number of turns")] = KEPT_TURNS,
    ) -> Response:
        """The last turns of the device since this process started, oldest first."""
        return reply(Turns(turns=parts.live.turns[-limit:]))

    @app.get("/api/events", responses={200: content(Snapshot, "text/event-stream")}, response_class=Response)
    async def events() -> Response:
        """Server-sent events: `snapshot` first, then `broker`, `availability`, `state`, `health`, `turn`."""
        return stream(parts.live)

    @app.get("/api/health", responses={200: content(WebHealth)}, response_class=Response)
    async def health() -> Response:
        """The state of this process."""
        return reply(
            WebHealth(
                status="ok",
                version=__version__,
                uptime_s=round(time.monotonic() - parts.started, 1),
                broker_connected=parts.live.present.broker.connected,
                recordings=parts.desk.held,
            )
        )


def _add_recordings(app: FastAPI, parts: Parts) -> None:
    @app.get("/api/model", responses={200: content(ModelView)}, response_class=Response)
    async def model() -> Response:
        """The model that analyses recordings here, and the size limits for recordings."""
        return reply(await asyncio.to_thread(parts.model))

    troubles: dict[int | str, dict[str, Any]] = {
        status: content(Trouble) for status in (400, 403, 408, 413, 415, 422, 503)
    }

    @app.post(
        "/api/classify",
        responses={200: content(Judgement), **troubles},
        response_class=Response,
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
            }
        },
    )
    async def classify(
        request: Request,
        picture: Annotated[bool, Query(description="Whether to include the spectrogram")] = True,
    ) -> Response:
        """Analyse the sound file in the body: `curl --data-binary @speech.wav URL`."""
        with parts.desk.place():
            try:
                body = await read_body(request, parts.max_upload_bytes)
                return reply(await _judge(request, parts, body, picture))
            except (StoppedError, asyncio.CancelledError):
                raise RequestError(503, "the dashboard is shutting down; try again later") from None


async def _judge(request: Request, parts: Parts, body: bytearray, with_picture: bool) -> Judgement:
    """Analyse a recording for as long as the client stays connected."""
    work = asyncio.ensure_future(
        parts.desk.do(lambda stopped: parts.judge.judge(body, with_picture, stopped))
    )
    try:
        while not (await asyncio.wait({work}, timeout=_LOOK_S))[0]:
            if await request.is_disconnected():
                raise ClientDisconnect
        return work.result()
    finally:
        work.cancel()


def _add_errors(app: FastAPI) -> None:
    async def affectd_error(_request: Request, error: Any) -> Response:
        return error_reply(error)

    async def http_error(_request: Request, error: Any) -> Response:
        return reply(Trouble(error=f"{error.detail}; see /openapi.json"), error.status_code)

    async def validation_error(_request: Request, error: Any) -> Response:
        found = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        return reply(Trouble(error=found), 422)

    async def disconnected(_request: Request, _error: Any) -> Response:
        return reply(Trouble(error="the client has disconnected"), 400)

    async def surprise(_request: Request, _error: Any) -> Response:
        return reply(Trouble(error="internal error; see the log of affectd web"), 500)

    app.add_exception_handler(AffectdError, affectd_error)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestValidationError, validation_error)
    app.add_exception_handler(ClientDisconnect, disconnected)
    app.add_exception_handler(Exception, surprise)


def _describe(app: FastAPI) -> None:
    """Add the types, which FastAPI does not know, to /openapi.json."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(
                title=app.title, version=app.version, description=app.description, routes=app.routes
            )
            app.openapi_schema = add_schemas(made)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # as FastAPI's documentation recommends
