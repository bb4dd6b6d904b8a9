"""Fetches a model file and its signature from disk or over HTTP, without looking into them."""

from __future__ import annotations

import http.client
import stat
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import msgspec

from edge import __version__
from edge.inference.model_file import FILE_LIMIT
from edge.update.errors import UpdateError, UpdateMissingError, UpdateUnavailableError

SUFFIX = ".sig"
"""Appended to the name of a model file to get the name of its signature"""

_SIGNATURE_LIMIT = 4096
_STALLED_S = 20.0
_WHOLE_S = 300.0
"""Time limit for the whole download; a model is less than a megabyte"""

_CHUNK = 1 << 16


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """A model file and its signature, unchecked."""

    content: bytes
    signature: bytes


def fetch(place: str) -> Parcel:
    """Fetch the model file at a path or an http(s) URL, and the signature next to it.

    Raises:
        UpdateError: when there is none, or it is too large.
        UpdateUnavailableError: when the server cannot be reached or the download breaks off.
    """
    try:
        parts = urllib.parse.urlsplit(place)
    except ValueError as error:
        raise UpdateError(f"{place}: is neither a path nor a URL: {error}") from None
    if parts.scheme in {"http", "https"}:
        beside = urllib.parse.urlunsplit(parts._replace(path=parts.path + SUFFIX))
        # The small file first: without a signature, the model need not be downloaded.
        signature = _download(beside, _SIGNATURE_LIMIT)
        return Parcel(content=_download(place, FILE_LIMIT), signature=signature)
    if "://" in place:
        raise UpdateError(f"{place}: {parts.scheme}: is not supported; name a file, or an http or https URL")
    return Parcel(
        signature=_read(Path(place + SUFFIX), _SIGNATURE_LIMIT, "sign the model with `affectd-convert sign`"),
        content=_read(Path(place), FILE_LIMIT, "name a model file with its signature next to it"),
    )


def _read(path: Path, limit: int, remedy: str) -> bytes:
    try:
        kind = path.stat()
        if not stat.S_ISREG(kind.st_mode):
            raise UpdateError(f"{path}: is not a file; {remedy}")
        if kind.st_size > limit:
            raise UpdateError(f"{path}: has {kind.st_size} bytes, over {limit}; {remedy}")
        return path.read_bytes()
    except FileNotFoundError:
        raise UpdateMissingError(f"{path}: no such file; {remedy}") from None
    except OSError as error:
        raise UpdateError(f"{path}: cannot be read: {error.strerror}") from error


def _download(url: str, limit: int) -> bytes:
    # Our own opener: the default one would also follow a redirect to ftp.
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    request = urllib.request.Request(url, headers={"User-Agent": f"affectd/{__version__}"})  # noqa: S310
    try:
        with opener.open(request, timeout=_STALLED_S) as answer:
            return _read_all(answer, url, limit)
    except urllib.error.HTTPError as error:
        raise UpdateUnavailableError(f"{url}: the server answers {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        raise UpdateUnavailableError(f"{url}: cannot be fetched: {error.reason}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise UpdateUnavailableError(f"{url}: cannot be fetched: {error!r}") from error


def _read_all(answer: http.client.HTTPResponse, url: str, limit: int) -> bytes:
    deadline = time.monotonic() + _WHOLE_S
    content = bytearray()
    # `read` would wait for a whole chunk: a server that trickles bytes could hold it beyond the deadline.
    while chunk := answer.read1(_CHUNK):
        content += chunk
        if len(content) > limit:
            raise UpdateError(f"{url}: has over {limit} bytes; this is not a model for a small device")
        if time.monotonic() > deadline:
            raise UpdateUnavailableError(f"{url}: took over {_WHOLE_S:g} s; try again on a better network")
    return bytes(content)
