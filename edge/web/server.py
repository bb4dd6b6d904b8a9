"""Wires the parts of the dashboard together behind one socket, which uvicorn serves."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
import sys
from types import FrameType

import uvicorn

from edge.config import Config
from edge.mqtt.paho_client import make_client
from edge.mqtt.settings import join_address
from edge.update.in_force import device_store
from edge.web.app import Parts, make_app
from edge.web.contract import view_model
from edge.web.desk import Desk
from edge.web.errors import AddressError
from edge.web.guard import Guard
from edge.web.judge import Judge
from edge.web.live import Live
from edge.web.model_in_force import ModelInForce
from edge.web.settings import WebSettings

_EX_SOFTWARE = 70
_MOST_CONNECTIONS = 128
_STOP_S = 1
"""Seconds that a request may take after the signal that ends the process"""


class Server(uvicorn.Server):
    """Ends the streams at the first signal: they would never end by themselves."""

    def __init__(self, config: uvicorn.Config, parts: Parts) -> None:
        super().__init__(config)
        self._parts = parts

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Called for a signal, in the thread of the event loop."""
        super().handle_exit(sig, frame)
        asyncio.get_running_loop().call_soon_threadsafe(self._parts.close)


def run(config: Config, password: str | None) -> int:
    """Serve until a signal arrives; returns the exit code. See `edge.web.serve.serve`."""
    # Made and discarded: a bad password or TLS file ends the command here, with its own error message.
    make_client(config.mqtt, config.mqtt.protocol, config.mqtt.client_id)
    listening = listen(config.web)
    server = Server(_uvicorn_config(config, password, parts := _parts(config)), parts)
    # When done, uvicorn raises the signal that ended it again; until it starts, a signal ends the process.
    host, port = listening.getsockname()[:2]
    who = "" if password is None else f", user {config.web.username}"
    sys.stdout.write(f"affectd web: http://{join_address(str(host), int(port))}/{who}\n")
    sys.stdout.flush()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _ignore)
    server.run(sockets=[listening])
    return 0 if server.started else _EX_SOFTWARE


def listen(settings: WebSettings) -> socket.socket:
    """Open a socket that listens where the settings say.

    Raises:
        AddressError: when that fails.
    """
    address = join_address(settings.bind, settings.port)
    try:
        family, _, _, _, place = socket.getaddrinfo(settings.bind, settings.port, type=socket.SOCK_STREAM)[0]
        both = settings.bind == "::" and socket.has_dualstack_ipv6()
        return socket.create_server((str(place[0]), settings.port), family=family, dualstack_ipv6=both)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise AddressError(
                f"another program already listens on {address}; stop it, or choose another port with --listen"
            ) from None
        why = error.strerror or error
        raise AddressError(
            f"cannot listen on {address}: {why}; choose another address with --listen"
        ) from None


def _parts(config: Config) -> Parts:
    web = config.web
    model = ModelInForce(config.model, device_store())
    return Parts(
        judge=Judge(model, config),
        desk=Desk(web.max_waiting),
        live=Live(config.mqtt.topics.device, config.mqtt.address),
        mqtt=config.mqtt,
        model=lambda: view_model(model(), web.max_upload_bytes, web.max_upload_s),
        max_upload_bytes=web.max_upload_bytes,
    )


def _uvicorn_config(config: Config, password: str | None, parts: Parts) -> uvicorn.Config:
    return uvicorn.Config(
        Guard(make_app(parts), config.web, password),
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="on",
        log_config=None,
        # Who asked, and for what, is private.
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=_STOP_S,
    )


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: uvicorn has already handled the signal."""
