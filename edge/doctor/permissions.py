"""Whether this user may access what affectd needs: the sound card, its secrets, its state folder."""

from __future__ import annotations

import getpass
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from edge.audio.settings import SourceKind
from edge.config import Config
from edge.doctor.report import Finding, Stage, Verdict
from edge.mqtt.outbox_settings import Storage


def examine(config: Config, sound: Path = Path("/dev/snd")) -> Iterator[Finding]:
    """Report the user, then check the access to each thing that affectd needs."""
    yield _who()
    if config.audio.source in {SourceKind.MICROPHONE, SourceKind.COMMAND}:
        yield _sound_card(sound)
    if config.outbox.storage is Storage.DISK:
        yield _state(config.outbox.file(config.mqtt.topics.device).parent)
    for key in ("password_file", "key_file"):
        path = getattr(config.mqtt, key)
        if path is not None:
            yield _secret(f"mqtt.{key}", Path(path).expanduser())


def user() -> str:
    """The name of this user, or its number if it has no name, as is common in containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def _who() -> Finding:
    if os.geteuid() == 0:
        return _finding(
            Verdict.OK,
            "running as root, which may do anything; `sudo -u affectd affectd doctor` checks as the service",
        )
    return _finding(Verdict.OK, f"user {user()}")


def _sound_card(folder: Path) -> Finding:
    inputs = sorted(folder.glob("pcmC*D*c"))
    if not inputs:
        return _finding(Verdict.SKIP, f"no sound card with an input in {folder}")
    closed = [path for path in inputs if not os.access(path, os.R_OK | os.W_OK)]
    if not closed:
        return _finding(Verdict.OK, f"{', '.join(path.name for path in inputs)} can be opened")
    return _finding(
        Verdict.FAIL,
        f"user {user()} is not allowed to open {', '.join(map(str, closed))}",
        f"sudo usermod -aG audio {user()}, and log in again; in a container, pass --group-add audio",
    )


def _state(folder: Path) -> Finding:
    present = nearest(folder)
    if os.access(present, os.W_OK | os.X_OK):
        return _finding(Verdict.OK, f"undelivered turns can be written to {folder}")
    return _finding(
        Verdict.FAIL,
        f"user {user()} is not allowed to write to {present}: undelivered turns are lost when affectd ends",
        f"sudo chown {user()} {present}, or set path in [outbox] to another place",
    )


def nearest(folder: Path) -> Path:
    """The folder itself, or the nearest one above it that exists."""
    return next((place for place in (folder, *folder.parents) if place.is_dir()), Path("/"))


def _secret(key: str, path: Path) -> Finding:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        remedy = f"create {path}, readable for {user()}"
        if path.is_relative_to("/run/credentials"):
            remedy = "systemd shows it only to the service, while it runs: start affectd, and check as root"
        return _finding(Verdict.FAIL, f"{key}: {path}: {error.strerror}", remedy)
    if not os.access(path, os.R_OK):
        return _finding(
            Verdict.FAIL, f"{key}: user {user()} is not allowed to read {path}", f"sudo chown {user()} {path}"
        )
    if mode & stat.S_IRWXO:
        return _finding(
            Verdict.WARN, f"{key}: every user of this machine can read {path}", f"sudo chmod 600 {path}"
        )
    return _finding(Verdict.OK, f"{key}: {path} is readable, but not for every user")


def _finding(verdict: Verdict, message: str, remedy: str = "") -> Finding:
    return Finding(stage=Stage.PERMISSIONS, verdict=verdict, message=message, remedy=remedy)
