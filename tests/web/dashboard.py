"""A dashboard as its users run it, and a client that knows nothing of it but HTTP."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from support.programs import Program

TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Dashboard(Program):
    """`affectd web`, which has said where it listens."""

    def __init__(self, *arguments: object, listen: str = "127.0.0.1:0", env: dict[str, str] | None = None):
        super().__init__("web", "--no-config", "--listen", listen, *arguments, env=env)
        line = self.wait_for("http://")
        self.url = line.split("affectd web: ")[1].partition(",")[0]
        self.port = int(self.url.rstrip("/").rpartition(":")[2])

    def ask(
        self,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        method: str | None = None,
        host: str = "127.0.0.1",
    ) -> Answer:
        connection = http.client.HTTPConnection(host, self.port, timeout=TIMEOUT_S)
        try:
            connection.request(method or ("GET" if body is None else "POST"), path, body, headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    @contextmanager
    def half_an_upload(self) -> Iterator[http.client.HTTPConnection]:
        """A recording of which the rest does not come."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)) as connection:
            connection.putrequest("POST", "/api/classify")
            connection.putheader("Content-Length", "1000")
            connection.endheaders(b"half of it")
            yield connection

    def follow(self) -> Stream:
        return Stream(self.port)


class Stream:
    """Server-sent events, as a browser reads them."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
        self._connection.request("GET", "/api/events")
        self._answer = self._connection.getresponse()
        self.type = self._answer.getheader("content-type", "")

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def wait_for(self, name: str, fits: Any = lambda data: True) -> Any:
        """The data of the next event of this name that fits."""
        event = ""
        while line := self._answer.readline():
            field, _, value = line.decode().rstrip("\n").partition(": ")
            if field == "event":
                event = value
            elif field == "data" and event == name and fits(data := json.loads(value)):
                return data
        raise AssertionError(f"the stream ended before {name}")

    def is_over(self) -> bool:
        """Read on to the end."""
        while self._answer.readline():
            pass
        return True
