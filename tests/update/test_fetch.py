"""Servers that take their time, or do not say when they have done."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from edge.update import fetch as fetching
from edge.update.errors import UpdateUnavailableError
from edge.update.fetch import fetch

_SIGNATURE, _MODEL = b"s" * 64, b"m" * 200_000
_DRIBBLE_S = 0.05
_TEST_S = 10.0
"""The server gives up after that"""


@contextmanager
def serving(answer: Callable[[http.server.BaseHTTPRequestHandler, bytes], None]) -> Iterator[str]:
    """A server that answers in this way with a signature or a model; gives its URL."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            answer(self, _SIGNATURE if self.path.endswith(".sig") else _MODEL)

        def log_message(self, *_: object) -> None:
            """Not into the test's output."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server, ExitStack() as ending:
        server.daemon_threads = True
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, daemon=True).start()
        ending.callback(server.shutdown)
        yield f"http://127.0.0.1:{server.server_address[1]}/model.tflite"


def dribbled(handler: http.server.BaseHTTPRequestHandler, content: bytes) -> None:
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    deadline = time.monotonic() + _TEST_S
    for at in range(len(content)):
        if time.monotonic() > deadline:
            return
        try:
            handler.wfile.write(content[at : at + 1])
        except OSError:
            return
        time.sleep(_DRIBBLE_S)


def kept_open(handler: http.server.BaseHTTPRequestHandler, content: bytes) -> None:
    """Although the client has asked for the connection to be closed."""
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)
    handler.wfile.flush()
    handler.rfile.read(1)  # until the client hangs up


def in_chunks(handler: http.server.BaseHTTPRequestHandler, content: bytes) -> None:
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    half = len(content) // 2
    for part in (content[:half], content[half:], b""):
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))


def until_the_end(handler: http.server.BaseHTTPRequestHandler, content: bytes) -> None:
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.wfile.write(content)


def test_fetch_when_the_server_dribbles_then_it_is_given_up_when_the_time_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fetching, "_WHOLE_S", 0.3)
    begun = time.monotonic()
    with serving(dribbled) as url, pytest.raises(UpdateUnavailableError, match=r"took over 0\.3 s"):
        fetch(url)
    assert time.monotonic() - begun < 2.5  # the signature alone would take longer


@pytest.mark.parametrize("answer", [kept_open, in_chunks, until_the_end])
def test_fetch_when_a_server_marks_the_end_in_its_way_then_all_of_it_comes(
    answer: Callable[[http.server.BaseHTTPRequestHandler, bytes], None],
) -> None:
    begun = time.monotonic()
    with serving(answer) as url:
        parcel = fetch(url)
    assert (parcel.signature, parcel.content) == (_SIGNATURE, _MODEL)
    assert time.monotonic() - begun < fetching._STALLED_S
