"""A folder that is served over HTTP, as whoever publishes models would."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        """A client that has enough hangs up; that is no error of the test's."""


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serve a folder; gives its URL."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args, **options):
            super().__init__(*args, directory=str(folder), **options)

        def log_message(self, *_):
            """Not into the test's output."""

    with _Server(("127.0.0.1", 0), Handler) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_address[1]}"
        serving.shutdown()


def publish(release: Path, folder: Path, name: str = "model.tflite") -> None:
    """Put a release and its signature there."""
    (folder / name).write_bytes(release.read_bytes())
    (folder / f"{name}.sig").write_bytes(release.with_name(release.name + ".sig").read_bytes())
