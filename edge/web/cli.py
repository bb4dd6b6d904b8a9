"""`affectd web` on the command line."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from edge.options import add_broker, add_config, add_model_file, load

# `--help` on a small board must not wait for numpy.
# ruff: noqa: PLC0415


def add_web(commands: Any) -> None:
    """Add `web` to those of `affectd`."""
    web = commands.add_parser(
        "web",
        help="serve a dashboard in the browser, and an HTTP API",
        description="Serve a dashboard that shows the turns of a recording dropped on it, or follows the "
        "device live. Recordings are analysed in memory and never stored. Only this machine can reach it, "
        "unless a password is set; see docs/web.md. Needs FastAPI and uvicorn, the extra web.",
        epilog="examples: affectd web · affectd web --host broker.lan --device-id kitchen · "
        "AFFECTD_WEB_PASSWORD=… affectd web --listen 0.0.0.0:8765 · "
        "curl --data-binary @speech.wav http://127.0.0.1:8765/api/classify",
    )
    add_config(web)
    web.add_argument(
        "--listen",
        type=_address,
        metavar="HOST:PORT",
        help="where to serve (default: 127.0.0.1:8765); any host but this machine itself needs a password, "
        "in AFFECTD_WEB_PASSWORD or in the file that password_file in [web] names",
    )
    add_broker(web, "the device to follow")
    add_model_file(web)
    web.set_defaults(command=_web)


def _address(text: str) -> tuple[str, int]:
    from edge.web.address import split_address

    try:
        return split_address(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _web(args: argparse.Namespace) -> int:
    from edge.state_folder import mean_the_service
    from edge.web.serve import serve

    config = load(args).config
    if not mean_the_service():
        print(
            "using your own model; for that of the service: sudo -u affectd affectd web",
            file=sys.stderr,
        )
    return serve(config)
