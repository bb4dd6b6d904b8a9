"""Where the dashboard listens, and under which host names it is reached."""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens on this host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def split_address(text: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT`, with an IPv6 host in brackets.

    Raises:
        ValueError: when the text does not have that form.
    """
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError(f"{text!r}: write the IPv6 address in brackets, for example [::1]:8765")
    if not (colon and host and port.isascii() and port.isdigit()):
        raise ValueError(f"{text!r} is not HOST:PORT, for example 127.0.0.1:8765")
    return host, int(port)


def host_of(header: str) -> str:
    """The host in a `Host` header or after the `://` of an origin: lower case, no port, no brackets."""
    text = header.strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0]
