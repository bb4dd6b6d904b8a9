"""The topics of one device: `<base>/<device>/<what>`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from edge.mqtt.errors import MqttSettingsError

_LEVEL = re.compile(r"[a-z0-9-]{1,64}")
_BASE_LEVEL = re.compile(r"[^\x00-\x1f\x7f-\x9f\s+#$/\ud800-\udfff][^\x00-\x1f\x7f-\x9f+#/\ud800-\udfff]*")
_BASE_BYTES = 256


def device_name(hostname: str) -> str:
    """A device name from a host name: the first label, in lower case, other characters as hyphens."""
    label = hostname.partition(".")[0].lower()
    return re.sub(r"[^a-z0-9]+", "-", label).strip("-")[:64].strip("-") or "affectd"


def is_level(name: str) -> bool:
    """Whether a text is one plain topic level, as device, site and room must be."""
    return _LEVEL.fullmatch(name) is not None


def is_base(base: str) -> bool:
    """Whether a text is one or more topic levels that can be published to."""
    return all(_BASE_LEVEL.fullmatch(level) for level in base.split("/"))


@dataclass(frozen=True, slots=True)
class Topics:
    """Topics on which a device publishes and listens.

    Raises:
        MqttSettingsError: at construction, when the base or the device cannot be part of a topic.
    """

    base: str
    """One or more levels, without a slash at either end"""

    device: str
    """One level of a-z, 0-9 and hyphens"""

    def __post_init__(self) -> None:
        if not is_level(self.device):
            raise MqttSettingsError(
                f"device is {self.device!r}; use 1 to 64 characters a-z, 0-9 or '-', for example "
                f"{device_name(self.device)!r}"
            )
        if not is_base(self.base):
            raise MqttSettingsError(
                f"base_topic is {self.base!r}; use levels such as 'affectd' or 'home/affectd', "
                "with no empty level, no '+' or '#', and none that starts with '$' or a space"
            )
        if len(self.base.encode()) > _BASE_BYTES:
            raise MqttSettingsError(f"base_topic is longer than {_BASE_BYTES} bytes; shorten it")

    def _of(self, what: str) -> str:
        return f"{self.base}/{self.device}/{what}"

    @property
    def availability(self) -> str:
        """`online` or `offline`, retained; the broker publishes `offline` when the device vanishes."""
        return self._of("availability")

    @property
    def state(self) -> str:
        """The current `State`, retained."""
        return self._of("state")

    @property
    def turn(self) -> str:
        """One `Turn` for each finished turn, not retained."""
        return self._of("turn")

    @property
    def health(self) -> str:
        """The `Health` of the device, every minute, retained."""
        return self._of("health")

    @property
    def command(self) -> str:
        """The root of the commands: each has its own topic below."""
        return self._of("command")
