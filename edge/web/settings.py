"""Settings of the dashboard."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from edge.web.address import is_loopback
from edge.web.errors import WebSettingsError

PASSWORD_VARIABLE = "AFFECTD_WEB_PASSWORD"  # noqa: S105  # the name of a variable, not a password


class WebSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the dashboard of `affectd web` listens, who may see it, and how much it accepts at once.

    Raises:
        WebSettingsError: at construction, when a value is invalid; the message names the field.
    """

    bind: str = "127.0.0.1"
    """Address to listen on; any but 127.0.0.1 and ::1, which only this machine reaches, needs a password"""

    port: int = 8765
    """TCP port to listen on; 0 picks a free one, which is printed"""

    hosts: tuple[str, ...] = ()
    """More host names under which browsers may reach it, for a local reverse proxy: ["affectd.lan"]"""

    username: str = "affectd"
    """User name that goes with the password"""

    password_file: str | None = None
    """Path of a file that contains only the password; AFFECTD_WEB_PASSWORD in the environment wins"""

    max_upload_mb: float = 50.0
    """Megabytes of the largest recording that is accepted"""

    max_upload_s: float = 600.0
    """Seconds of the longest recording that is accepted"""

    max_waiting: int = 2
    """Recordings that may wait while one is analysed; further ones are told to try again later"""

    def __post_init__(self) -> None:
        rules = (
            (_is_host(self.bind), f"bind is {self.bind!r}; it must be just a host name or IP address"),
            (0 <= self.port <= 65_535, f"port is {self.port}; it must be 0 to 65535"),
            (all(_is_host(host) for host in self.hosts),
             f"hosts is {list(self.hosts)}; give only host names, without port or http://"),
            (self.username.isprintable() and self.username != "" and ":" not in self.username,
             f"username is {self.username!r}; it must not be empty or contain a colon"),
            (0.0 < self.max_upload_mb <= 1024.0,
             f"max_upload_mb is {self.max_upload_mb}; it must be above 0 and at most 1024"),
            (0.0 < self.max_upload_s <= 7200.0,
             f"max_upload_s is {self.max_upload_s}; it must be above 0 and at most 7200"),
            (0 <= self.max_waiting <= 100, f"max_waiting is {self.max_waiting}; it must be 0 to 100"),
        )  # fmt: skip
        for holds, message in rules:
            if not holds:
                raise WebSettingsError(message)

    @property
    def max_upload_bytes(self) -> int:
        """Bytes of the largest recording that is accepted."""
        return round(self.max_upload_mb * 1_000_000)

    def password(self) -> str | None:
        """The password from the environment, else from `password_file`; None if none is required.

        Raises:
            WebSettingsError: when it is empty, the file cannot be read, or there is none although the network
                can reach `bind`.
        """
        from_environment = os.environ.get(PASSWORD_VARIABLE)
        if from_environment is not None:
            return _not_empty(from_environment, f"{PASSWORD_VARIABLE} in the environment")
        if self.password_file is not None:
            return _not_empty(_read(self.password_file), f"password_file {self.password_file}")
        if not is_loopback(self.bind):
            raise WebSettingsError(
                f"bind is {self.bind}, so the network can reach the dashboard without a password; set "
                f"password_file in [web] or {PASSWORD_VARIABLE} in the environment, or bind to 127.0.0.1"
            )
        return None


def _is_host(text: str) -> bool:
    return bool(text) and text.isprintable() and not set(text) & set(" /@[]")


def _read(path: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise WebSettingsError(
            f"password_file {path}: {reason}; make it readable for this user or set {PASSWORD_VARIABLE}"
        ) from None


def _not_empty(password: str, where: str) -> str:
    if not password:
        raise WebSettingsError(f"{where} is empty; put the dashboard's password there, or remove it")
    return password
