"""Commands to the device: what they may contain, what is refused, and how each is answered."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Annotated, Any

import msgspec

from edge.errors import AffectdError
from edge.mqtt.rate_limit import RateLimit
from edge.mqtt.topics import Topics

_LOG = logging.getLogger(__name__)

MAX_BYTES = 1024
"""Longer payloads are refused without being parsed"""

_PER_SECOND, _BURST = 1.0, 10
_REFUSALS_PER_SECOND, _REFUSAL_BURST = 1.0, 20
_MAX_NAME = 64

Id = Annotated[str, msgspec.Meta(max_length=128)]


class Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A command without a value."""

    id: Id | None = None
    """Chosen by the sender; the answer carries the same id"""


class MuteCommand(Command, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Stop listening, until `unmute`."""

    value: bool = True
    """Whether to mute; false is the same as `unmute`"""


class SensitivityCommand(Command, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Set how quiet speech may be."""

    value: Annotated[float, msgspec.Meta(ge=-20.0, le=6.0)]
    """Decibels; 0 is as configured; higher values detect quieter speech, but also more noise"""


class ThresholdCommand(Command, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Set how confident an answer must be."""

    value: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
    """Calibrated confidence, 0 to 1, below which the answer is `uncertain`"""


class EnrolCommand(Command, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Enrol a speaker's neutral voice by its mean spectrum; answered when enough speech was heard."""

    value: Annotated[float, msgspec.Meta(ge=3.0, le=60.0)] = 10.0
    """Seconds of speech to hear"""


class ModelUpdateCommand(Command, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fetch a signed model and switch to it; answered when that is done."""

    value: Annotated[str, msgspec.Meta(pattern="^https?://", max_length=512)]
    """URL of the model file; its signature is next to it, with `.sig` appended to the path"""

    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-fA-F]{64}$")] | None = None
    """SHA-256 that the file must have, if it matters which of several signed models it is"""


KINDS: dict[str, type[Command]] = {
    "mute": MuteCommand,
    "unmute": Command,
    "sensitivity": SensitivityCommand,
    "threshold": ThresholdCommand,
    "enrol": EnrolCommand,
    "forget": Command,
    "reload": Command,
    "identify": Command,
    "restart": Command,
    "health": Command,
    "model/info": Command,
    "model/update": ModelUpdateCommand,
}
"""Every command by its name, the part of its topic after `command/`"""


class CommandResult(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a command."""

    command: str
    """Name of the command"""

    id: Id | None = None
    """Id of the command; null if it had none or could not be parsed"""

    ok: bool
    """Whether the command was carried out; if not, nothing has changed"""

    reason: str | None = None
    """Why the command was not carried out; null if it was"""

    result: dict[str, Any] = {}
    """What the command has changed, or the values that it asked for"""


class _Identified(msgspec.Struct):
    id: Id | None = None


class CommandRefusedError(AffectdError):
    """Raised when a command cannot be carried out; the message becomes the `reason` in the answer."""


class CommandDesk:
    """Takes messages on the command topics, refuses invalid commands, and answers them all.

    Args:
        topics: of the device.
        execute: carries out a command by its name and returns the answer's `result`, or a future of it if
            that takes long; raises an `AffectdError` if it cannot, and has then changed nothing.
        answer: publishes a payload on a topic.
        clock: seconds, from any starting point.
    """

    def __init__(
        self,
        topics: Topics,
        execute: Callable[[str, Command], dict[str, Any] | Future[dict[str, Any]]],
        answer: Callable[[str, bytes], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._root = topics.command + "/"
        self._execute = execute
        self._answer = answer
        self._commands = RateLimit(_PER_SECOND, _BURST, clock)
        self._refusals = RateLimit(_REFUSALS_PER_SECOND, _REFUSAL_BURST, clock)

    @property
    def patterns(self) -> list[str]:
        """Topic filters: all names of one level, so that unknown ones are refused, and each longer name."""
        return [f"{self._root}+", *(f"{self._root}{name}" for name in KINDS if "/" in name)]

    def receive(self, topic: str, payload: bytes, retained: bool) -> None:
        """Carry out or refuse a command, and answer it. Called in the network thread; never raises."""
        name = topic.removeprefix(self._root)
        identity = _id_of(payload)
        try:
            command = self._accepted(name, payload, retained)
        except CommandRefusedError as error:
            self._refuse(name, identity, str(error))
            return
        _LOG.info("command %s", name)
        self._answer_with(name, identity, lambda: self._execute(name, command))

    def _answer_with(
        self,
        name: str,
        identity: str | None,
        get_result: Callable[[], dict[str, Any] | Future[dict[str, Any]]],
    ) -> None:
        try:
            result = get_result()
        except AffectdError as error:
            self._refuse(name, identity, str(error))
        except Exception:  # noqa: BLE001
            # No error in a command may end the network thread, and with it the device.
            _LOG.exception("command %s failed", name)
            self._refuse(name, identity, "the command failed; the log of the device says why")
        else:
            if isinstance(result, Future):
                result.add_done_callback(lambda done: self._answer_with(name, identity, done.result))
                return
            self._say(CommandResult(command=name, id=identity, ok=True, result=result))

    def _accepted(self, name: str, payload: bytes, retained: bool) -> Command:
        if name not in KINDS:
            raise CommandRefusedError(f"there is no such command; choose one of {', '.join(KINDS)}")
        if retained:
            raise CommandRefusedError("a retained command would run at every connection; clear the topic")
        if len(payload) > MAX_BYTES:
            raise CommandRefusedError(f"the payload has {len(payload)} bytes; the limit is {MAX_BYTES}")
        try:
            command = msgspec.json.decode(payload, type=KINDS[name])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise CommandRefusedError(f"the payload is not valid JSON for this command: {error}") from None
        # Checked last, so that invalid messages do not use up the limit for commands.
        if not self._commands.allows():
            raise CommandRefusedError(f"too many commands; the limit is {_PER_SECOND:g} per second")
        return command

    def _refuse(self, name: str, identity: str | None, reason: str) -> None:
        # Refusing every message of a flood would create a second flood.
        if len(name) > _MAX_NAME or not self._refusals.allows():
            return
        _LOG.warning("command %r refused: %s", name, reason)
        self._say(CommandResult(command=name, id=identity, ok=False, reason=reason))

    def _say(self, result: CommandResult) -> None:
        self._answer(f"{self._root}{result.command}/result", msgspec.json.encode(result))


def _id_of(payload: bytes) -> str | None:
    if len(payload) > MAX_BYTES:
        return None
    try:
        return msgspec.json.decode(payload, type=_Identified).id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
